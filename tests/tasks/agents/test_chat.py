"""The adapter against a server that does all that servers do."""

import json
from contextlib import aclosing

import pytest

from tasks.agents.contract import (
    Answer,
    Finish,
    Outcome,
    Question,
    Request,
    Text,
    ToolCall,
    ToolDescription,
    Usage,
)
from tasks.agents.errors import ProviderRefused, ProviderSilent, ReplyBroken
from tests.tasks.agents.chats import HELLO, pieces, provider, whole
from tests.tasks.agents.conftest import KEY
from tests.tasks.agents.endpoint import (
    DONE,
    Endpoint,
    Reply,
    answered,
    calling,
    chunk,
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

CALLED = {"name": "look", "arguments": '{"at": 1}'}
BODY = {
    "model": "tiny",
    "stream": True,
    "messages": [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Well?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "type": "function", "function": CALLED}],
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
    assert asked.body == BODY


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
