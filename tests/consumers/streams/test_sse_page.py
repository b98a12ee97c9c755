"""A run's log as pages of JSON, for who prefers them."""

import pytest

from consumers.feeds.hub import Hub

from ..connections import HttpStream, events_path
from ..fakes import seqs
from ..rows import stored

pytestmark = pytest.mark.usefixtures("anyone")


async def test_a_page_as_json(hub: Hub) -> None:
    run = await stored(events=700, finish=True)
    url: str | None = events_path(run.pk)
    found: list[int] = []
    pages = 0
    while url is not None:
        path, _, query = url.partition("?")
        stream = HttpStream(path, query, headers=[(b"accept", b"application/json")])
        await stream.open()
        assert stream.headers["content-type"] == "application/json"
        page = stream.json
        assert page["last_seq"] == 700
        found += [event["seq"] for event in page["events"]]
        url = page["next"]
        pages += 1
    assert found == seqs(1, 700)
    assert pages == 2


async def test_an_empty_page(hub: Hub) -> None:
    run = await stored(events=3, finish=True)
    headers = [(b"accept", b"application/json")]
    stream = await HttpStream(events_path(run.pk), "after=3", headers).open()
    assert stream.json == {"events": [], "last_seq": 3, "next": None}


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "text/event-stream; charset=utf-8"),
        (b"*/*", "text/event-stream; charset=utf-8"),
        (b"text/event-stream", "text/event-stream; charset=utf-8"),
        (b"text/html,application/xhtml+xml,*/*;q=0.8", "text/event-stream; charset=utf-8"),
        (b"text/html", "text/event-stream; charset=utf-8"),
        (b"application/json, text/event-stream;q=0.1", "application/json"),
        (b";;;,,/", "text/event-stream; charset=utf-8"),
    ],
)
async def test_what_is_accepted(hub: Hub, accept: bytes | None, content_type: str) -> None:
    run = await stored(events=1, finish=True)
    headers = [] if accept is None else [(b"accept", accept)]
    stream = await HttpStream(events_path(run.pk), headers=headers).open()
    assert stream.headers["content-type"] == content_type
    if not stream.content:
        await stream.body()
