"""What an event stream of one run is refused for."""

from uuid import uuid4

import pytest

from consumers.feeds.hub import Hub

from ..connections import HttpStream, events_path
from ..rows import stored

pytestmark = pytest.mark.usefixtures("anyone")


BAD_CURSORS = ["abc", "-1", "1.5", "", "99999999999999999999", "2", "%00", "%FF", "1%0A2"]


@pytest.mark.parametrize("cursor", BAD_CURSORS)
async def test_a_bad_after(hub: Hub, cursor: str) -> None:
    run = await stored(events=1)
    stream = await HttpStream(events_path(run.pk), f"after={cursor}").open()
    assert stream.status == 400
    assert stream.json["error"]["code"] == "bad_cursor"
    assert hub.watched == 0


@pytest.mark.parametrize(
    "cursor", [b"abc", b"-1", b"1.5", b"", b"9" * 4000, b"2", b"\xff", b"\x00"]
)
@pytest.mark.parametrize("accept", [b"text/event-stream", b"application/json"])
async def test_a_bad_last_event_id(hub: Hub, cursor: bytes, accept: bytes) -> None:
    run = await stored(events=1)
    headers = [(b"last-event-id", cursor), (b"accept", accept)]
    stream = await HttpStream(events_path(run.pk), headers=headers).open()
    assert stream.status == 400
    assert stream.json["error"]["code"] == "bad_cursor"


async def test_a_cursor_beyond_the_head_says_where_that_is(hub: Hub) -> None:
    run = await stored(events=7)
    stream = await HttpStream(events_path(run.pk), headers=[(b"last-event-id", b"8")]).open()
    assert stream.status == 400
    assert "ends at 7" in stream.json["error"]["message"]


async def test_no_such_run(hub: Hub) -> None:
    stream = await HttpStream(events_path(uuid4())).open()
    assert stream.status == 404
    assert stream.json["error"]["code"] == "no_such_run"


@pytest.mark.parametrize("run_id", ["x", "0", "0197a3c4", "%00", "a" * 3000, "\N{SNOWMAN}"])
async def test_no_run_id(hub: Hub, run_id: str) -> None:
    stream = await HttpStream(f"/tasks/{run_id}/events/").open()
    assert stream.status == 400
    assert stream.json["error"]["code"] == "malformed_id"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
async def test_only_get(hub: Hub, method: str) -> None:
    run = await stored(events=1)
    stream = await HttpStream(events_path(run.pk), method=method).open()
    assert stream.status == 405
    assert stream.headers["allow"] == "GET"
    assert hub.watched == 0
