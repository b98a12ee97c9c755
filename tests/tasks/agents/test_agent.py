"""Agents that are enqueued: what they are asked, what they do, what becomes of their runs."""

import asyncio
import json
from typing import Any

import pytest

from tasks.compat import TaskError
from tasks.exceptions import InvalidArguments, RunCancelled, TaskFailed
from tasks.handles import Handle
from tasks.models import TaskEvent
from tests.tasks.agents import cast
from tests.tasks.agents.conftest import KEY
from tests.tasks.agents.endpoint import (
    DONE,
    Endpoint,
    Reply,
    Wire,
    answered,
    calling,
    chunk,
    cut,
    endless,
    event,
    finish,
    saying,
    silent,
    streamed,
    usage,
)
from tests.tasks.runs import kinds, row, until

pytestmark = pytest.mark.django_db(transaction=True)

Data = list[dict[str, Any]]


async def data(handle: Handle, type_: str) -> list[Any]:
    """What the run's events of a type hold."""
    events = TaskEvent.objects.filter(run_id=handle.run_id, type=type_).order_by("seq")
    return [json.loads(event.data) async for event in events]


def call(name: str, arguments: object, id_: str = "c1") -> Reply:
    """A turn that calls a tool."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return streamed(calling(0, id_, name, text), finish("tool_calls"), usage(10, 5), DONE)


async def outcome(endpoint: Endpoint, name: str, arguments: object) -> dict[str, Any]:
    """What the log says of a call that the model makes."""
    endpoint.will(call(name, arguments), saying("So."))
    handle = await cast.helper.aenqueue("Do it.")
    assert (await handle.await_result(20))["text"] == "So."
    (found,) = await data(handle, "agent.tool")
    assert isinstance(found, dict)
    return found


async def test_an_answer(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(saying("Hel", "lo. ☃"))
    handle = await cast.plain.aenqueue("Who is there?")
    assert await handle.await_result(20) == {
        "text": "Hello. ☃",
        "output": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
        "turns": 1,
        "calls": 0,
        "finish": "stop",
        "conversation": handle.id,
    }
    assert "".join(await data(handle, "append")) == "Hello. ☃"
    assert await data(handle, "agent.question") == [{"text": "Who is there?"}]
    assert await data(handle, "agent.answer") == [
        {"turn": 1, "text": "Hello. ☃", "calls": [], "finish": "stop"}
    ]
    total = {"input_tokens": 3, "output_tokens": 2}
    assert await data(handle, "agent.usage") == [{"turn": 1, **total, "total": total}]


async def test_a_template(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(saying("Yes."))
    values = {"shop": {"name": "<A & B>"}, "customer": "{{ question }}", "closed": True}
    handle = await cast.shopkeeper.aenqueue("Open?", **values)
    await handle.await_result(20)
    assert endpoint.asked[0].body["messages"] == [
        {"role": "system", "content": "You keep <A & B>. It is closed."},
        {"role": "user", "content": "{{ question }} asks: Open?"},
    ]


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"shop": {"name": "A"}, "closed": False}, "customer"),
        ({"shop": {}, "closed": False, "customer": "B"}, "shop.name"),
        ({"shop": {"name": "A"}, "customer": "B"}, "closed"),
    ],
)
def test_a_value_that_is_missing_is_said_to_who_enqueues(
    values: dict[str, Any], missing: str
) -> None:
    with pytest.raises(InvalidArguments, match=f"needs '{missing}'"):
        cast.shopkeeper.enqueue("Open?", **values)


@pytest.mark.parametrize("question", ["", "  \n", 7, "x" * 300_000])
def test_a_question_that_is_none(question: Any) -> None:
    with pytest.raises(InvalidArguments, match="is asked"):
        cast.plain.enqueue(question)


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


async def test_turns_are_bounded(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(*[call("order_status", {"number": n}) for n in range(9)])
    handle = await cast.helper.aenqueue("And the next?")
    with pytest.raises(TaskFailed, match=r"TurnsExceeded.* after 4 turns"):
        await handle.await_result(20)
    assert len(endpoint.asked) == 4
    assert len(cast.DEEDS) == 3


@pytest.mark.parametrize(
    "text",
    ['{"price": 9.5, "currency": "EUR"}', '```json\n{"price": 9.5, "currency": "EUR"}\n```\n'],
)
async def test_output(supervisor: None, endpoint: Endpoint, text: str) -> None:
    endpoint.will(saying(text))
    handle = await cast.clerk.aenqueue("How much?")
    assert (await handle.await_result(20))["output"] == {"price": 9.5, "currency": "EUR"}
    (asked,) = endpoint.asked
    assert asked.body["response_format"]["json_schema"]["schema"] == cast.PRICES
    assert '"enum":["EUR","USD"]' in asked.body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Ten euros.", "It is no JSON"),
        ('{"price": "ten"}', "$.price: 'ten' is not of type 'number'"),
        ('{"price": 1e999, "currency": "EUR"}', "It is no JSON"),
        ('{"price": NaN, "currency": "EUR"}', "It is no JSON"),
        ("", "It is no JSON"),
    ],
)
async def test_output_is_repaired_once(
    supervisor: None, endpoint: Endpoint, text: str, problem: str
) -> None:
    endpoint.will(saying(text), saying('{"price": 10, "currency": "EUR"}'))
    handle = await cast.clerk.aenqueue("How much?")
    assert (await handle.await_result(20))["output"]["price"] == 10
    (repair,) = (await data(handle, "agent.question"))[1:]
    assert repair["repair"] is True
    assert problem in repair["text"]


async def test_output_that_cannot_be_repaired(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(saying("Ten."), saying("Ten!"))
    handle = await cast.clerk.aenqueue("How much?")
    with pytest.raises(TaskFailed, match=r"InvalidOutput.*no JSON"):
        await handle.await_result(20)
    assert len(endpoint.asked) == 2


async def test_a_later_attempt_repeats_nothing_that_is_done(
    supervisor: None, endpoint: Endpoint
) -> None:
    endpoint.will(
        call("order_status", {"number": 7}),
        cut(chunk({"content": "It is"})),
        streamed(event({"error": {"message": "overloaded"}})),
        saying("It is sent."),
    )
    handle = await cast.persistent.aenqueue("Where is my order 7?")
    value = await handle.await_result(20)
    assert (value["text"], value["turns"], value["calls"]) == ("It is sent.", 2, 1)
    assert value["usage"] == {"input_tokens": 13, "output_tokens": 7}
    assert cast.DEEDS == [(7, "short")]
    assert len(await data(handle, "agent.question")) == 1
    second, *later = [asked.body["messages"] for asked in endpoint.asked[1:]]
    assert later == [second, second]
    errors = [error["message"] for error in (await row(handle)).errors]
    assert "The stream was cut" in errors[0]
    assert errors[1] == "The endpoint broke off: overloaded"


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


async def test_a_rate_limit_is_in_the_log(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(answered(429, '{"error": "slow"}', Retry_After="0"), saying("Now."))
    handle = await cast.plain.aenqueue("Now?")
    await handle.await_result(20)
    (line,) = await data(handle, "log")
    assert line == {
        "level": "warning",
        "message": "The endpoint answered 429: slow; trying again in 0.0 s.",
    }


async def test_endless_text_has_an_end(settings: Any, supervisor: None, endpoint: Endpoint) -> None:
    settings.HEADWAY = {"EVENT_BYTES": 4096}
    endpoint.will(endless(chunk({"content": "and so on, "})))
    handle = await cast.plain.aenqueue("Go on?")
    with pytest.raises(TaskFailed, match=r"ReplyTooLong.* 3072 bytes"):
        await handle.await_result(20)
    await endpoint.left.wait()


@pytest.mark.parametrize("way", ["astop", "akill"])
async def test_who_ends_a_run_ends_its_request(
    supervisor: None, endpoint: Endpoint, way: str
) -> None:
    endpoint.will(silent(chunk({"content": "Well"})))
    handle = await cast.plain.aenqueue("Well?")

    async def begun() -> bool:
        return "append" in await kinds(handle)

    await until(begun)
    await getattr(handle, way)()
    await asyncio.wait_for(endpoint.left.wait(), 20)
    with pytest.raises(RunCancelled):
        await handle.await_result(20)


async def test_a_timeout_ends_the_request(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(silent())
    handle = await cast.hasty.aenqueue("Quick?")
    with pytest.raises(TaskFailed, match="TaskTimeout"):
        await handle.await_result(20)

    async def nobody_is_connected() -> bool:
        return endpoint.open == 0

    await until(nobody_is_connected)


async def test_a_run_does_not_wait_for_a_thread_of_a_tool(
    supervisor: None, endpoint: Endpoint
) -> None:
    endpoint.will(call("linger", {}))
    handle = await cast.helper.aenqueue("Linger.")

    async def lingers() -> bool:
        return bool(cast.DEEDS)

    await until(lingers)
    await handle.astop()
    with pytest.raises(RunCancelled):
        await handle.await_result(20)
    assert not cast.GATE.is_set()


async def test_the_key_is_nowhere(
    supervisor: None, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    endpoint.will(answered(401, json.dumps({"error": f"bad key {KEY}"})))
    handle = await cast.plain.aenqueue("Who?")
    with pytest.raises(TaskFailed, match=r"bad key \*\*\*"):
        await handle.await_result(20)
    run = await row(handle)
    events = [event.data async for event in TaskEvent.objects.filter(run_id=handle.run_id)]
    said = [*events, caplog.text, str(run.errors), str(run.args), str(run.kwargs)]
    assert endpoint.asked[0].headers["authorization"].endswith(KEY)
    assert [text for text in said if KEY in text] == []
    assert all(isinstance(error, TaskError) for error in handle.errors)
