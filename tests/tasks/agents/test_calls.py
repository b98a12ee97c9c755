"""Tools that a model calls."""

import json
from typing import Any

import pytest

from tasks.exceptions import RunCancelled, TaskFailed
from tests.tasks.agents import cast
from tests.tasks.agents.asked import call, data, outcome
from tests.tasks.agents.endpoint import DONE, Endpoint, Wire, calling, finish, saying, streamed
from tests.tasks.runs import kinds, until

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_tool(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(call("order_status", {"number": 7}), saying("It is sent."))
    handle = await cast.helper.aenqueue("Where is my order 7?")
    value = await handle.await_result(20)
    assert (value["turns"], value["calls"], value["text"]) == (2, 1, "It is sent.")
    assert value["usage"] == {"input_tokens": 13, "output_tokens": 7}
    result = {"number": 7, "sent": "2026-11-22", "total": "9.90"}
    about = {"id": "c1", "name": "order_status", "arguments": {"number": 7}}
    assert await data(handle, "agent.tool") == [about | {"result": result}]
    assert cast.DEEDS == [(7, "short")]
    described = endpoint.asked[0].body["tools"][0]["function"]
    assert described["description"] == "How far an order is."
    assert described["parameters"]["properties"]["number"]["description"] == "as on the invoice"
    *_, said, told = endpoint.asked[1].body["messages"]
    assert said["tool_calls"][0]["id"] == told["tool_call_id"] == "c1"
    assert json.loads(told["content"]) == result


async def test_a_sync_tool_is_called_in_a_thread(supervisor: None, endpoint: Endpoint) -> None:
    assert "MainThread" not in (await outcome(endpoint, "in_a_thread", ""))["result"]


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("order_status", "{nonsense", "no JSON"),
        ("order_status", '{"number": NaN}', "JSON has no NaN"),
        ("order_status", '{"number": 1e999}', "no JSON"),
        ("order_status", "[" * 100_000, "no JSON"),
        ("order_status", "[7]", "is not of type 'object'"),
        ("order_status", {"number": "seven"}, "$.number: 'seven' is not of type 'integer'"),
        ("order_status", {}, "'number' is a required property"),
        ("order_status", {"number": 1, "self": 2}, "'self' was unexpected"),
        ("order_status", {"number": 1, "detail": "all"}, "is not one of ['short', 'long']"),
        ("drop_tables", {}, "There is no tool 'drop_tables'. Known: order_status, in_a_thread"),
        ("", {}, "There is no tool ''"),
        ("break_down", {"why": "\ud800 worn out"}, "no JSON"),
        ("break_down", {"why": "worn out"}, "RuntimeError: worn out"),
        ("nothing_of_json", {}, "TypeError: What the tool returned cannot be carried"),
        ("much", {"size": 300_000}, "too large"),
    ],
)
async def test_what_is_wrong_with_a_call_is_told_to_the_model(
    supervisor: None, endpoint: Endpoint, name: str, arguments: object, error: str
) -> None:
    assert error in (await outcome(endpoint, name, arguments))["error"]
    assert error in json.loads(endpoint.asked[1].body["messages"][-1]["content"])["error"]
    assert cast.DEEDS == []


async def test_what_is_said_is_committed_before_it_is_acted_on(
    supervisor: None, endpoint: Endpoint
) -> None:
    seen: list[list[str]] = []

    async def look(wire: Wire) -> None:
        seen.append(await kinds(handle))
        await saying("So.")(wire)

    endpoint.will(call("what_is_written", {}), look)
    handle = await cast.helper.aenqueue("What is written?")
    await handle.await_result(20)
    (outcome,) = await data(handle, "agent.tool")
    assert outcome["result"] == ["queued", "started", *_SAID]
    assert seen == [["queued", "started", *_SAID, "agent.tool"]]


_SAID = ["agent.question", "agent.answer", "agent.usage"]


async def test_calls_of_the_same_id_are_told_apart(supervisor: None, endpoint: Endpoint) -> None:
    twice = [calling(n, "same", "order_status", json.dumps({"number": n})) for n in range(2)]
    endpoint.will(streamed(*twice, finish("tool_calls"), DONE), saying("Both."))
    handle = await cast.helper.aenqueue("Both?")
    assert (await handle.await_result(20))["calls"] == 2
    assert [found["result"]["number"] for found in await data(handle, "agent.tool")] == [0, 1]
    assert len({each["tool_call_id"] for each in endpoint.asked[1].body["messages"][-2:]}) == 2


async def test_calls_of_a_turn_are_bounded(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(streamed(*(calling(n, None, "linger", "") for n in range(129)), DONE))
    handle = await cast.helper.aenqueue("Everything?")
    with pytest.raises(TaskFailed, match=r"ReplyTooLong.*more than 128"):
        await handle.await_result(20)
    assert cast.DEEDS == []


async def test_a_call_that_was_under_way_is_made_again(settings: Any, endpoint: Endpoint) -> None:
    from tasks.testing import running_supervisor

    settings.HEADWAY = {"GRACE": 0.1}
    both = [
        calling(0, "a", "order_status", '{"number": 7}'),
        calling(1, "b", "wait_for_ever", "{}"),
    ]
    endpoint.will(streamed(*both, finish("tool_calls"), DONE))

    async def waits(times: int) -> None:
        async def holds() -> bool:
            return (await kinds(handle)).count("tool.waits") == times

        await until(holds)

    async with running_supervisor():
        handle = await cast.helper.aenqueue("Wait.")
        await waits(1)
    async with running_supervisor():
        await waits(2)
        await handle.astop()
        with pytest.raises(RunCancelled):
            await handle.await_result(20)
    assert cast.DEEDS == [(7, "short")]
    assert len(endpoint.asked) == 1
    assert [found["id"] for found in await data(handle, "agent.tool")] == ["a"]
