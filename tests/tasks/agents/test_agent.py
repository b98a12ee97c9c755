"""Agents that are enqueued: what they are asked, and what becomes of their runs."""

import json
from typing import Any

import pytest

from tasks.compat import TaskError
from tasks.exceptions import InvalidArguments, TaskFailed
from tasks.models import TaskEvent
from tests.tasks.agents import cast
from tests.tasks.agents.asked import call, data
from tests.tasks.agents.conftest import KEY
from tests.tasks.agents.endpoint import Endpoint, answered, chunk, cut, event, saying, streamed
from tests.tasks.runs import row

pytestmark = pytest.mark.django_db(transaction=True)


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


async def test_turns_are_bounded(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(*[call("order_status", {"number": n}) for n in range(9)])
    handle = await cast.helper.aenqueue("And the next?")
    with pytest.raises(TaskFailed, match=r"TurnsExceeded.* after 4 turns"):
        await handle.await_result(20)
    assert len(endpoint.asked) == 4
    assert len(cast.DEEDS) == 3


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


async def test_a_rate_limit_is_in_the_log(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(answered(429, '{"error": "slow"}', Retry_After="0"), saying("Now."))
    handle = await cast.plain.aenqueue("Now?")
    await handle.await_result(20)
    (line,) = await data(handle, "log")
    assert line == {
        "level": "warning",
        "message": "The endpoint answered 429: slow; trying again in 0.0 s.",
    }


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
