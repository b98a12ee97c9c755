"""The Python client against a server that is made up: what it asks for, and what it makes of
the answers.
"""

import random
import subprocess
import sys

import httpx
import pytest

from consumers.client import (
    Event,
    Forbidden,
    HeadwayClientError,
    NotAuthenticated,
    NotFound,
    Refused,
    Unreachable,
)
from consumers.wire import HEARTBEAT, farewell, opening
from tests.processes import ROOT

from .madeup import (
    AT,
    OPENING,
    RUN,
    Server,
    Watch,
    json_refusal,
    log,
    stream,
)


async def test_every_event_to_the_last(watch: Watch) -> None:
    server = Server(stream(OPENING, log(1, 2), HEARTBEAT, log(3, 4, end=True)))
    found = await watch(server, (RUN,), token="secret")
    assert [event.seq for event in found] == [1, 2, 3, 4]
    assert [event.last for event in found] == [False, False, False, True]
    assert found[0] == Event(1, "tick", AT, {"text": "a\u2028b\n"}, False, RUN, "1")
    (asked,) = server.requests
    assert str(asked.url) == f"http://site/app/tasks/{RUN}/events/"
    assert asked.headers["Authorization"] == "Bearer secret"
    assert asked.headers["Accept"] == "text/event-stream"


async def test_it_continues_after_whatever_ends_a_connection(watch: Watch) -> None:
    server = Server(
        httpx.ConnectError("refused"),
        stream(OPENING, log(1, 2), farewell()),
        httpx.ReadTimeout("silent"),
        httpx.Response(503, headers={"Retry-After": "1"}),
        stream(OPENING, log(3, 3), log(4, 4)[:-5]),  # cut off within an event
        httpx.RemoteProtocolError("cut"),
        httpx.Response(429),
        stream(OPENING, log(4, 5, end=True)),
    )
    found = await watch(server, (RUN,))
    assert [event.seq for event in found] == [1, 2, 3, 4, 5]
    assert server.cursors == [None, None, "2", "2", "2", "3", "3", "3"]


async def test_what_comes_twice_is_dropped_and_what_is_missing_asked_for(watch: Watch) -> None:
    server = Server(stream(log(1, 3)), stream(log(2, 4), log(6, 7)), stream(log(5, 7, end=True)))
    found = await watch(server, (RUN,))
    assert [event.seq for event in found] == [1, 2, 3, 4, 5, 6, 7]
    assert server.cursors == [None, "3", "4"]


async def test_nothing_follows(watch: Watch) -> None:
    assert await watch(Server(httpx.Response(204)), (RUN,)) == []


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "not_authenticated", NotAuthenticated),
        (403, "forbidden", Forbidden),
        (404, "no_such_run", NotFound),
        (400, "bad_cursor", Refused),
    ],
)
async def test_a_refusal_has_its_type(
    watch: Watch, status: int, code: str, kind: type[Refused]
) -> None:
    with pytest.raises(kind, match=f"{status} {code}: No") as caught:
        await watch(Server(json_refusal(status, code)), (RUN,))
    assert (caught.value.status, caught.value.code) == (status, code)


async def test_a_refusal_of_somebody_else(watch: Watch) -> None:
    with pytest.raises(NotFound) as caught:
        await watch(Server(httpx.Response(404, text="<html>")), (RUN,))
    assert caught.value.code == ""


async def test_a_page_is_no_stream(watch: Watch) -> None:
    with pytest.raises(HeadwayClientError, match="no event stream"):
        await watch(Server(httpx.Response(200, html="<html>")), (RUN,))


async def test_patience_ends(watch: Watch) -> None:
    server = Server(*[httpx.ConnectError("refused")] * 3)
    with pytest.raises(Unreachable):
        await watch(server, (RUN,), patience=1e-9)
    assert len(server.requests) == 1


def test_the_pauses_are_spread_and_grow_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    from consumers.client.journey import Journey

    bounds: list[float] = []

    def uniform(low: float, high: float) -> float:
        bounds.append(high)
        return low

    monkeypatch.setattr(random, "uniform", uniform)
    journey = Journey.of_run(RUN, 0, None)
    assert [journey.pause() for _ in range(40)] == [0.0] * 40
    assert bounds[:5] == [1.0, 2.0, 4.0, 8.0, 15.0]
    assert set(bounds[5:]) == {15.0}


def test_a_server_that_is_full_is_left_alone_for_as_long_as_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from consumers.client.journey import Journey, Lost

    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    journey = Journey.of_run(RUN, 0, None)
    for after, pause in (("4", 8.0), ("4", 8.0), ("60", 75.0), ("9999", 315.0)):
        with pytest.raises(Lost):
            journey.answered(503, {"retry-after": after}, lambda: b"")
        assert journey.pause() == pause
    # Then it is an ordinary failure, and the first one.
    with pytest.raises(Lost):
        journey.answered(503, {}, lambda: b"")
    assert [journey.pause(), journey.pause()] == [1.0, 2.0]


async def test_silence_is_measured_in_the_servers_heartbeats(watch: Watch) -> None:
    slow = opening(60)
    server = Server(stream(slow, log(1, 1)), stream(slow, log(2, 2)), stream(log(3, 3, end=True)))
    await watch(server, (RUN,))
    reads = [request.extensions["timeout"]["read"] for request in server.requests]
    assert reads == [45.0, 180.0, 180.0]
    server = Server(stream(opening(2), log(1, 1)), stream(log(2, 2, end=True)))
    await watch(server, (RUN,), timeout=None)
    assert [request.extensions["timeout"]["read"] for request in server.requests] == [None, None]


def test_it_imports_no_django() -> None:
    program = """
import sys

class No:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("django", "channels", "asgiref", "tasks", "daphne"):
            raise ImportError(f"{name} was imported")

sys.meta_path.insert(0, No())
try:
    import django
except ImportError:
    pass
else:
    raise SystemExit("the guard does not work")
import consumers.client
print(consumers.client.HeadwayClient.__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("HeadwayClient\n", "")
