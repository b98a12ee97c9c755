"""The Python client against a server that is made up: what it asks for, and what it makes of
the answers.
"""

import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from consumers.client import (
    Event,
    Forbidden,
    HeadwayClient,
    HeadwayClientError,
    NotAuthenticated,
    NotFound,
    Refused,
    SyncHeadwayClient,
    Unreachable,
)
from consumers.wire import HEARTBEAT, farewell, frame, opening
from tasks import events
from tests.processes import ROOT

RUN = "0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071"
AT = datetime(2026, 11, 22, tzinfo=UTC)
OPENING = opening(15)
MARK = "2c3d4e5f6071"  # of RUN, in the ids of a StreamTask's events
OTHER = "aaaaaaaaaaaa"
STREAM = {"content-type": "text/event-stream; charset=utf-8"}

Answer = httpx.Response | Exception


def log(first: int, last: int, *, end: bool = False) -> bytes:
    """Frames as the server writes them."""
    written = b""
    for seq in range(first, last + 1):
        type_ = "finished" if end and seq == last else "tick"
        event = events.Event(seq, type_, AT, '{"text":"a\u2028b\\n"}')
        written += frame(seq, events.envelope(RUN, event).encode())
    return written


def stream(*pieces: bytes) -> httpx.Response:
    return httpx.Response(200, headers=STREAM, content=b"".join(pieces))


def json_refusal(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": "No."}})


class Server:
    """Answers in this order, and keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def cursors(self) -> list[str | None]:
        return [request.headers.get("Last-Event-ID") for request in self.requests]


Watch = Callable[..., Any]


async def asynchronous(
    server: Server, names: tuple[Any, ...], *, after: int | str = 0, **options: Any
) -> list[Event]:
    transport = httpx.MockTransport(server)
    async with HeadwayClient("http://site/app", transport=transport, **options) as client:
        watch: Watch = client.watch if len(names) == 1 else client.watch_task
        return [event async for event in watch(*names, after=after)]


async def synchronous(
    server: Server, names: tuple[Any, ...], *, after: int | str = 0, **options: Any
) -> list[Event]:
    transport = httpx.MockTransport(server)
    with SyncHeadwayClient("http://site/app", transport=transport, **options) as client:
        watch: Watch = client.watch if len(names) == 1 else client.watch_task
        return list(watch(*names, after=after))


@pytest.fixture(params=[asynchronous, synchronous])
def watch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.0)
    kind: Watch = request.param
    return kind


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


def task_block(seq: int | None, name: str, log: str = MARK, **data: Any) -> bytes:
    at = '"_timestamp":"2026-11-22T00:00:00Z"'
    fields = "".join(f'"{key}":{value},' for key, value in data.items())
    head = f"id: {seq}-{log}\n" if seq else "retry: 2000\n"
    return f'{head}event: {name}\ndata: {{{fields}"_task_id":1,{at}}}\n\n'.encode()


async def test_a_stream_task(watch: Watch) -> None:
    server = Server(
        stream(task_block(None, "run.pending")),
        stream(b"retry: 1000\n", task_block(1, "start", a=5), b": heartbeat\n"),
        stream(task_block(2, "error", b=1), task_block(3, "error", _final="true")),
    )
    found = await watch(server, ("shop", "Some/Task", 1))
    assert found[0] == Event(1, "start", AT, {"a": 5, "_task_id": 1}, False, id=f"1-{MARK}")
    # An author's own "error" is not the end.
    assert [(event.type, event.last) for event in found[1:]] == [("error", False), ("error", True)]
    assert server.requests[0].url.raw_path == b"/app/stream/shop/Some%2FTask/1"
    assert server.cursors == [None, None, f"1-{MARK}"]


async def test_a_stream_task_that_is_started_again(watch: Watch) -> None:
    again = [task_block(1, "start", OTHER), task_block(2, "progress", OTHER)]
    server = Server(
        stream(*[task_block(seq, "progress") for seq in (1, 2, 3)]),
        stream(*again),
        stream(task_block(4, "progress", OTHER)),  # 3 is missing
        stream(task_block(2, "progress", OTHER), task_block(3, "error", OTHER, _final="true")),
    )
    found = await watch(server, ("Task", 1))
    assert [event.id for event in found[3:]] == [f"{seq}-{OTHER}" for seq in (1, 2, 3)]
    assert server.cursors == [None, f"3-{MARK}", f"2-{OTHER}", f"2-{OTHER}"]


@pytest.mark.parametrize("after", [2, f"2-{MARK}", f"9-{OTHER}"])
async def test_a_stream_task_after_an_event(watch: Watch, after: int | str) -> None:
    first = 1 if after == f"9-{OTHER}" else 3
    blocks = [task_block(seq, "progress") for seq in range(first, 5)]
    server = Server(stream(*blocks, task_block(5, "run.finished", _final="true")))
    found = await watch(server, ("Task", 1), after=after)
    assert [event.seq for event in found] == list(range(first, 6))
    assert server.cursors == [str(after)]


async def test_all_that_is_left_of_a_stream_task_is_its_end(watch: Watch) -> None:
    server = Server(stream(task_block(1, "run.finished", _final="true")))
    found = await watch(server, ("Task", 1), after=f"5-{MARK}")
    assert [event.last for event in found] == [True]


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
