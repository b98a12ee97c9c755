"""The adapter against a server that does all that servers do."""

import asyncio
import json
import time
from contextlib import aclosing
from email.utils import formatdate
from typing import Any

import pytest

from tasks.agents.chat import ChatCompletions
from tasks.agents.contract import (
    Answer,
    Finish,
    Outcome,
    Piece,
    Question,
    Request,
    Text,
    ToolCall,
    ToolDescription,
    Usage,
    Waiting,
)
from tasks.agents.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderSilent,
    ReplyBroken,
)
from tests.tasks.agents.conftest import KEY
from tests.tasks.agents.endpoint import (
    DONE,
    Endpoint,
    Reply,
    answered,
    calling,
    chunk,
    closed,
    cut,
    endless,
    event,
    events,
    finish,
    saying,
    silent,
    streamed,
    usage,
)

HELLO = Request(instructions="", messages=[Question("Hello?")])


def provider(endpoint: Endpoint, **options: Any) -> ChatCompletions:
    given: dict[str, Any] = {"model": "tiny", "api_key": KEY, "longest_wait": 0.05} | options
    return ChatCompletions(base_url=endpoint.url, **given)


async def pieces(asked: ChatCompletions, request: Request = HELLO) -> list[Piece]:
    async with aclosing(asked.reply(request)) as found:
        return [piece async for piece in found]


def whole(found: list[Piece]) -> str:
    return "".join(piece.text for piece in found if isinstance(piece, Text))


async def test_an_answer_comes_in_the_pieces_that_were_sent(endpoint: Endpoint) -> None:
    endpoint.will(saying("Hel", "lo. ", "☃ 𝄞"))
    assert await pieces(provider(endpoint)) == [
        Text("Hel"),
        Text("lo. "),
        Text("☃ 𝄞"),
        Finish("stop"),
        Usage(3, 2),
    ]


async def test_what_the_endpoint_is_asked(endpoint: Endpoint) -> None:
    endpoint.will(saying("yes"))
    call = ToolCall("c1", "look", '{"at": 1}')
    request = Request(
        instructions="Be short.",
        messages=[Question("Well?"), Answer("", (call,)), Outcome("c1", "look", "7")],
        tools=[ToolDescription("look", "Looks.", {"type": "object"})],
        output={"type": "string"},
    )
    await pieces(provider(endpoint, options={"temperature": 0, "stream_options": None}), request)
    (asked,) = endpoint.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    function = {"name": "look", "arguments": '{"at": 1}'}
    assert asked.body == {
        "model": "tiny",
        "stream": True,
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "Well?"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "c1", "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "7"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "look",
                    "description": "Looks.",
                    "parameters": {"type": "object"},
                },
            }
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "output", "schema": {"type": "string"}},
        },
        "temperature": 0,
    }


async def test_calls_in_parts(endpoint: Endpoint) -> None:
    endpoint.will(
        streamed(
            calling(0, "a", "look", ""),
            calling(0, None, None, '{"at'),
            calling(1, "b", "wait", "{}"),
            calling(0, None, None, '": 1}'),
            finish("tool_calls"),
            DONE,
        )
    )
    found = await pieces(provider(endpoint))
    assert found == [
        Finish("tool_calls"),
        ToolCall("a", "look", '{"at": 1}'),
        ToolCall("b", "wait", "{}"),
    ]


async def test_every_byte_alone(endpoint: Endpoint) -> None:
    stream = b"".join(events("☃ ", "𝄞\r\n")) + b": bye\n\n"
    endpoint.will(streamed(*(stream[n : n + 1] for n in range(len(stream)))))
    assert whole(await pieces(provider(endpoint))) == "☃ 𝄞\r\n"


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (cut(chunk({"content": "Hel"})), "cut"),
        (streamed(chunk({"content": "Hel"})), "cut"),
        (
            streamed(chunk({"content": "Hel"}), event({"error": {"message": "out of memory"}})),
            "out of",
        ),
        (streamed(b"data: {nonsense\n\n"), "no JSON"),
        (streamed(b"data: [1]\n\n"), "list where an object"),
        (streamed(event({"choices": {"a": 1}})), "dict where a list"),
        (streamed(event({"choices": [{"delta": {"content": 7}}]})), "int where a text"),
        (streamed(b"data: " + b"x" * (2**20 + 9)), "no stream"),
        (endless(b"data: " + b"x" * 9999), "no stream"),
        (endless(calling(0, "a", "b", "x" * 9999)), "longer than"),
        (answered(200, '{"choices": []}'), "no stream"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_reply_that_is_none(endpoint: Endpoint, reply: Reply, says: str) -> None:
    endpoint.will(reply)
    with pytest.raises(ReplyBroken, match=says):
        await pieces(provider(endpoint))
    assert len(endpoint.asked) == 1


async def test_a_stream_that_is_cut_after_the_reply_is_whole(endpoint: Endpoint) -> None:
    endpoint.will(cut(chunk({"content": "Hello"}), finish()))
    assert whole(await pieces(provider(endpoint))) == "Hello"


async def test_rate_limits_are_waited_for(endpoint: Endpoint) -> None:
    limit = answered(429, '{"error": {"message": "slow down"}}', Retry_After="0.02")
    endpoint.will(limit, answered(503), saying("now"))
    first, second, *rest = await pieces(provider(endpoint))
    assert first == Waiting(0.02, "The endpoint answered 429: slow down")
    assert isinstance(second, Waiting)
    assert 0 < second.seconds <= 0.05
    assert whole(rest) == "now"


async def test_a_date_to_come_back_at(endpoint: Endpoint) -> None:
    endpoint.will(answered(429, Retry_After=formatdate(time.time() - 5, usegmt=True)), saying("a"))
    waiting, *_ = await pieces(provider(endpoint))
    assert waiting == Waiting(0.0, "The endpoint answered 429: {}")


async def test_nobody_waits_for_longer_than_he_may(endpoint: Endpoint) -> None:
    endpoint.will(answered(429, Retry_After="3600"))
    with pytest.raises(ProviderBusy) as caught:
        await pieces(provider(endpoint))
    assert (caught.value.status, caught.value.retry_after) == (429, 3600)
    assert len(endpoint.asked) == 1


async def test_patience_ends(endpoint: Endpoint) -> None:
    endpoint.will(*[answered(500, "boom")] * 3)
    with pytest.raises(ProviderBusy, match="500: boom"):
        await pieces(provider(endpoint, retries=2))
    assert len(endpoint.asked) == 3


async def test_a_connection_that_is_closed_is_tried_again(endpoint: Endpoint) -> None:
    endpoint.will(closed(), saying("here"))
    waiting, *rest = await pieces(provider(endpoint))
    assert isinstance(waiting, Waiting)
    assert whole(rest) == "here"


async def test_nobody_there() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    asked = ChatCompletions(base_url=f"http://127.0.0.1:{port}", model="m", retries=0)
    with pytest.raises(ProviderError, match="cannot be reached"):
        await pieces(asked)


@pytest.mark.parametrize("status", [301, 400, 401, 404])
async def test_a_refusal_is_not_argued_with(endpoint: Endpoint, status: int) -> None:
    endpoint.will(answered(status, json.dumps({"error": f"no such key: {KEY}"}), Location="/"))
    with pytest.raises(ProviderRefused) as caught:
        await pieces(provider(endpoint))
    assert str(caught.value) == f"The endpoint answered {status}: no such key: ***"
    assert len(endpoint.asked) == 1


async def test_the_key_is_nowhere(endpoint: Endpoint) -> None:
    asked = provider(endpoint, headers={"X-Team": "secret-of-the-team"})
    assert KEY not in repr(asked)
    endpoint.will(streamed(event({"error": {"message": f"{KEY} secret-of-the-team"}})))
    with pytest.raises(ReplyBroken) as caught:
        await pieces(asked)
    assert "*** ***" in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("reply", [silent(), silent(chunk({"content": "Hel"}))])
async def test_silence_has_an_end(endpoint: Endpoint, reply: Reply) -> None:
    endpoint.will(reply)
    with pytest.raises(ProviderSilent, match=r"nothing for 0\.2 s"):
        await pieces(provider(endpoint, timeout=0.2))
    await endpoint.left.wait()


async def test_who_leaves_hangs_up(endpoint: Endpoint) -> None:
    endpoint.will(silent(chunk({"content": "Hel"})))
    async with aclosing(provider(endpoint).reply(HELLO)) as found:
        assert await anext(found) == Text("Hel")
    await endpoint.left.wait()


async def test_usage_is_not_needed(endpoint: Endpoint) -> None:
    odd = event({"choices": None, "usage": {"prompt_tokens": "many"}})
    endpoint.will(streamed(chunk({"content": "a"}), odd, usage(1, 1), finish()))
    found = await pieces(provider(endpoint))
    assert [piece for piece in found if isinstance(piece, Usage)] == [Usage(), Usage(1, 1)]
