"""However a stream is divided, it says the same."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.agents.chat_chunks import Chunks
from tasks.agents.contract import Finish, Piece, Text, ToolCall
from tasks.agents.errors import ReplyBroken
from tests.tasks.agents.endpoint import DONE, calling, chunk, event, finish

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


async def read(parts: list[bytes]) -> list[Piece]:
    """What the adapter makes of a body that comes in these parts."""

    async def body() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    request = httpx2.Request("POST", "http://endpoint.test/")
    headers = {"Content-Type": "text/event-stream"}
    answer = httpx2.Response(200, headers=headers, content=body(), request=request)
    chunks = Chunks(10_000)
    found = [piece async for each in httpx2.EventSource(answer) for piece in chunks.take(each.data)]
    return found + list(chunks.end())


def divided(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@settings(max_examples=100, deadline=None)
@given(
    said=st.lists(texts, max_size=5),
    arguments=st.lists(texts, max_size=5),
    places=st.lists(st.integers(0, 10_000), max_size=30),
    newline=st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
async def test_a_stream_divided_anywhere(
    said: list[str], arguments: list[str], places: list[int], newline: bytes
) -> None:
    parts = [chunk({"content": text}) for text in said]
    parts += [calling(0, "a" if not n else None, None, text) for n, text in enumerate(arguments)]
    stream = b"".join([b": hello\n\n", *parts, finish("stop"), DONE]).replace(b"\n", newline)
    found = await read(divided(stream, places))
    assert [piece.text for piece in found if isinstance(piece, Text)] == said
    calls = [piece for piece in found if isinstance(piece, ToolCall)]
    assert calls == ([ToolCall("a", "", "".join(arguments))] if arguments else [])
    assert Finish("stop") in found


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "choices",
                        "delta",
                        "content",
                        "tool_calls",
                        "function",
                        "index",
                        "id",
                        "name",
                        "arguments",
                        "usage",
                        "error",
                        "finish_reason",
                    ]
                ),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_a_chunk_is_nothing_but_a_broken_reply_is_raised(data: Any) -> None:
    chunks = Chunks(1_000)
    try:
        list(chunks.take(json.dumps(data)))
        list(chunks.take(json.dumps({"choices": [data]})))
        list(chunks.take(json.dumps({"choices": [{"delta": data}]})))
        list(chunks.end())
    except ReplyBroken:
        pass


def test_a_character_that_is_cut_in_two() -> None:
    chunks = Chunks(100)
    said = [r'"\ud834"', r'"\udd1e!"', r'"\udd1e?"']
    found = [
        piece
        for text in said
        for piece in chunks.take(f'{{"choices": [{{"delta": {{"content": {text}}}}}]}}')
    ]
    assert found == [Text("𝄞!"), Text("\ufffd?")]


@pytest.mark.parametrize(
    ("parts", "calls"),
    [
        # Whole calls without numbers.
        (
            [
                [{"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}],
                [{"id": "b", "function": {"name": "g"}}],
            ],
            [ToolCall("a", "f", '{"x": 1}'), ToolCall("b", "g", "")],
        ),
        # The name with every part, and no id.
        (
            [
                [{"index": 0, "function": {"name": "f", "arguments": "{"}}],
                [{"index": 0, "function": {"name": "f", "arguments": "}"}}],
            ],
            [ToolCall("call_0", "f", "{}")],
        ),
    ],
)
def test_calls_as_some_endpoints_send_them(
    parts: list[list[dict[str, Any]]], calls: list[ToolCall]
) -> None:
    chunks = Chunks(100)
    for part in parts:
        data = event({"choices": [{"delta": {"tool_calls": part}}]})
        assert list(chunks.take(data.decode().removeprefix("data: "))) == []
    list(chunks.take("[DONE]"))
    assert list(chunks.end()) == calls
