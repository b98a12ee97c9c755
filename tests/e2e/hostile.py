"""What no honest client sends: strategies for it, and a connection that sends it."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from tests.asgi_app.readers import masked, request

__all__ = ["Attack", "fire", "http_attacks", "websocket_attacks"]

NOBODY = "00000000-0000-7000-8000-000000000000"
AT_ONCE = 20  # connections
QUIET = 0.1  # seconds without a byte, after which no more is waited for
LONGEST = 1.0  # seconds for an answer to begin
AT_MOST = 3.0  # seconds for all; a stream would go on

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


def _mostly(
    usual: st.SearchStrategy[bytes], other: st.SearchStrategy[bytes]
) -> st.SearchStrategy[bytes]:
    """Too much at once is wrong with most of what is all junk: it gets nowhere."""
    return st.integers(0, 7).flatmap(lambda number: usual if number else other)


class Attack(NamedTuple):
    """Pieces that are written one after the other."""

    pieces: tuple[bytes, ...]


# HTTP: requests that are nearly right, and then are not

_HEADERS = b"""Host Accept Cookie Last-Event-ID Content-Length Content-Type Transfer-Encoding
    Upgrade Connection Expect X-CSRFToken Origin Idempotency-Key Authorization Range
    Sec-WebSocket-Key Sec-WebSocket-Version Sec-WebSocket-Protocol X-Forwarded-For
    Daphne-Root-Path"""
_VALUES = b"""text/event-stream application/json */*;q=2 text/html;q=x chunked websocket
    100-continue multipart/form-data;boundary= multipart/form-data;boundary=x gzip 0 5
    sessionid=\xff"""
_PATHS = """/tasks/ /tasks/RUN/ /tasks/RUN/events/ /tasks/RUN/stop/ /tasks/RUN/kill/ /tasks/events/
    /tasks/RUN/send/ /tasks/RUN/retry/ /ws/tasks/RUN/ /ws/tasks/ /metrics /health/ready //tasks//
    http://x/tasks/ * /static/../x /admin/ /tasks/openapi.json"""
_JUNK = b'%00 %ff % ../.. -1 1e400 NaN latest \xff\xfe [ { " ;'.split()

_junk = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"", b"\0", b"\r\n", b"9" * 30, b"A" * 70, b"x" * 9000, *_JUNK]),
)
_runs = st.sampled_from(["RUN", NOBODY, "x", NOBODY.replace("-", ""), "latest", "..", "%2e%2e"])
_names = st.sampled_from([*_HEADERS.split(), b"Cookie "])
_values = st.one_of(_junk, st.sampled_from(_VALUES.split()))
_methods = _mostly(st.sampled_from(b"GET POST GET POST HEAD PUT OPTIONS get PRI".split()), _junk)
_queries = st.builds(
    lambda name, value: b"?" + name + b"=" + value,
    st.sampled_from([b"after", b"run", b"batch", b"as", b"as=html&after", b"", b"run=x&run"]),
    _junk,
)
_paths = _mostly(
    st.builds(
        lambda path, run, query: path.replace("RUN", run).encode() + query,
        st.sampled_from(_PATHS.split()),
        _runs,
        st.just(b"") | _queries,
    ),
    _junk,
)
_bodies = st.one_of(
    st.just(b""),
    _junk,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["task", "args", "kwargs", "x"]), inner, max_size=3)
        ),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode()),
    st.just(b'{"task": "' + b"[" * 2000),
    st.just(b"[" * 20_000),
    st.just(b"ffffffffff\r\nx\r\n0\r\n\r\n"),
    st.just(b"5\r\nhello\r\n-1\r\n"),
)


def _written(
    method: bytes,
    path: bytes,
    version: bytes,
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes,
    honest: bool,
) -> bytes:
    lines = [method + b" " + path + b" " + version]
    lines += [name + b": " + value for name, value in headers]
    if honest:
        lines += [b"Host: localhost", b"Content-Length: %d" % len(body)]
        lines += [b"X-CSRFToken: " + b"a" * 32, b"Cookie: csrftoken=" + b"a" * 32]
        lines += [b"Content-Type: application/json"]
    return b"\r\n".join([*lines, b"", b""]) + body


def _cut(data: bytes, places: list[float]) -> Attack:
    ends = sorted({round(place * len(data)) for place in places} | {len(data)})
    return Attack(tuple(data[a:b] for a, b in zip([0, *ends], ends, strict=False)))


http_attacks: st.SearchStrategy[Attack] = st.builds(
    _cut,
    _mostly(
        st.builds(
            _written,
            _methods,
            _paths,
            _mostly(
                st.just(b"HTTP/1.1"), st.sampled_from([b"HTTP/1.0", b"HTTP/9.9", b"", b"\xff"])
            ),
            st.lists(st.tuples(_names, _values), max_size=3),
            _bodies,
            st.integers(0, 5).map(bool),
        ),
        st.binary(max_size=200),
    ),
    st.lists(st.floats(0, 1), max_size=2),
)


# WebSocket: handshakes and frames

_commands = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "op": st.sampled_from(["subscribe", "unsubscribe", "stop", "ping", "", None, 3, []]),
            "run": st.sampled_from([NOBODY, "x", None, 0, [], {}, "\ud800", "é" * 99]),
            "after": st.sampled_from([0, -1, 2**70, 1.5, "latest", "x", None, True, []]),
            "ref": st.sampled_from([None, 1, "x" * 200, [], {}, 1e308, "\udfff", True]),
        },
    ).map(lambda command: json.dumps(command).encode()),
    _bodies,
    st.sampled_from([b'{"op":"ping"}', b'{"op":NaN}', b"null", b"\xc3\x28", b"\xed\xa0\x80", b""]),
)


def _frame(head: int, size: bytes, payload: bytes) -> bytes:
    """A frame whose length is a lie."""
    return bytes([head]) + size + payload


_frames = st.one_of(
    _commands.map(masked),
    # Opcodes and reserved bits that mean nothing, control frames in pieces or too long.
    st.builds(lambda payload, head: masked(payload, head), _commands, st.integers(0, 255)),
    st.builds(masked, st.binary(max_size=130), st.sampled_from([0x88, 0x89, 0x8A, 0x08, 0x80])),
    st.builds(
        _frame,
        st.integers(0, 255),
        st.sampled_from([b"", b"\x05", b"\x7e\x00", b"\xff" + b"\xff" * 8, b"\xfe\x00\x01"]),
        st.binary(max_size=30),
    ),
    st.binary(min_size=1, max_size=60),
    st.just(masked(b"x" * 70_000)),
)


def _conversation(path: str, headers: list[tuple[bytes, bytes]], frames: list[bytes]) -> Attack:
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    hello = request(path, websocket=True)[:-2] + lines + b"\r\n"
    return Attack((hello, *frames))


websocket_attacks: st.SearchStrategy[Attack] = st.builds(
    _conversation,
    st.sampled_from(["/ws/tasks/", "/ws/tasks/?batch=1", f"/ws/tasks/{NOBODY}/", "/ws/tasks/x/"])
    | st.sampled_from(["/ws/tasks/RUN/", "/ws/tasks/RUN/?after=latest", "/ws/tasks/RUN/?after=x"]),
    st.just([]) | st.lists(st.tuples(_names, _values), max_size=2),
    st.lists(_frames, min_size=1, max_size=6),
)


async def fire(port: int, attacks: Sequence[Attack], run_id: str) -> list[int]:
    """Make them, some at a time; what statuses came back."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(attack: Attack) -> list[int]:
        async with gate:
            return await _one(port, attack, run_id.encode())

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(attack)) for attack in attacks]
    return [status for task in tasks for status in task.result()]


async def _one(port: int, attack: Attack, run_id: bytes) -> list[int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b""
    # One that does not wait for the handshake gets nowhere: most do, the longest do not.
    websocket = b"Upgrade: websocket" in attack.pieces[0]
    try:
        async with asyncio.timeout(AT_MOST):
            for piece in attack.pieces:
                writer.write(piece.replace(b"RUN", run_id))
                await writer.drain()
                # As pieces on their way are: each is a packet, and some come with an answer.
                patience = LONGEST if websocket and not heard else QUIET / 5
                heard += await _available(reader, 0.0 if len(attack.pieces) > 5 else patience)
            while more := await _available(reader, QUIET if heard else LONGEST):
                heard += more
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.transport.abort()
    return [int(status) for status in _STATUS.findall(heard)]


async def _available(reader: asyncio.StreamReader, patience: float) -> bytes:
    try:
        async with asyncio.timeout(patience):
            return await reader.read(65_536)
    except TimeoutError:
        return b""
