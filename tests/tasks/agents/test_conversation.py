"""Conversations that one run begins and others continue."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from tasks import get_handle
from tasks.agents.contract import Answer, ToolCall, Usage
from tasks.agents.conversation import Conversation
from tasks.agents.transcript import Kept, kept
from tasks.exceptions import TaskFailed
from tasks.handles import Handle
from tasks.models import TaskEvent, TaskRun
from tests.tasks.agents import cast
from tests.tasks.agents.asked import call, data
from tests.tasks.agents.endpoint import Endpoint, saying
from tests.tasks.runs import row

pytestmark = pytest.mark.django_db(transaction=True)


async def asked(agent: Any, question: str) -> Handle:
    handle: Handle = await agent.aenqueue(question)
    await handle.await_result(20)
    return handle


async def test_a_run_continues_another(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(call("order_status", {"number": 7}), saying("Sent."), saying("On Sunday."))
    first = await asked(cast.helper, "Where is 7?")
    second = await asked(cast.helper.continuing(first), "When?")
    roles = [message["role"] for message in endpoint.asked[-1].body["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    value = second.return_value
    assert (value["conversation"], value["turns"], value["calls"]) == (first.id, 1, 0)
    assert value["usage"] == {"input_tokens": 3, "output_tokens": 2}
    questions = await data(second, "agent.question")
    assert questions == [{"text": "Where is 7?", "earlier": True}, {"text": "When?"}]


async def test_a_conversation_outlives_the_runs_before(
    supervisor: None, endpoint: Endpoint
) -> None:
    endpoint.will(saying("One."), saying("Two."), saying("Three."))
    first = await asked(cast.plain, "1?")
    second = await asked(cast.plain.continuing(first), "2?")
    await TaskEvent.objects.filter(run_id=first.run_id).adelete()
    await TaskRun.objects.filter(pk=first.run_id).adelete()
    third = await asked(cast.plain.continuing(second), "3?")
    said = [message["content"] for message in endpoint.asked[-1].body["messages"]]
    assert said == ["1?", "One.", "2?", "Two.", "3?"]
    assert third.metadata == {"continues": second.id, "conversation": first.id}
    assert third.return_value["conversation"] == first.id


async def test_a_call_that_was_never_made_has_an_outcome(
    supervisor: None, endpoint: Endpoint
) -> None:
    endpoint.will(*[call("order_status", {"number": n}) for n in range(4)], saying("Sorry."))
    first = await cast.helper.aenqueue("All?")
    with pytest.raises(TaskFailed):
        await first.await_result(20)
    await asked(cast.helper.continuing(first), "Well?")
    *_, told, question = endpoint.asked[-1].body["messages"]
    assert (told["role"], question["content"]) == ("tool", "Well?")
    assert told["content"] == '{"error": "The run ended before this call was made."}'


@pytest.mark.parametrize("why", ["another agent", "gone", "unfinished"])
async def test_what_cannot_be_continued(supervisor: None, endpoint: Endpoint, why: str) -> None:
    endpoint.will(saying("One."))
    first = await asked(cast.plain, "1?")
    agent = cast.plain.continuing(first)
    if why == "another agent":
        agent = cast.helper.continuing(first)
    elif why == "gone":
        await TaskRun.objects.filter(pk=first.run_id).adelete()
    else:
        await TaskRun.objects.filter(pk=first.run_id).aupdate(status="RUNNING")
    second = await agent.aenqueue("2?")
    with pytest.raises(TaskFailed, match="CannotContinue"):
        await second.await_result(20)
    assert len(endpoint.asked) == 1
    await TaskRun.objects.filter(pk=first.run_id).aupdate(status="SUCCESSFUL")


async def test_a_retry_continues_the_same(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(saying("One."), saying("Two."), saying("Two!"))
    first = await asked(cast.plain, "1?")
    second = await asked(cast.plain.continuing(first), "2?")
    again = await (await sync_to_async(get_handle)(second.id)).aretry()
    await again.await_result(20)
    assert endpoint.asked[1].body["messages"] == endpoint.asked[2].body["messages"]


async def test_who_acts_on_a_message_finds_it_committed() -> None:
    heard: list[str] = []

    class Listening:
        async def emit(self, type_: str, data: object) -> None:
            heard.append(type_)

        async def flush(self) -> None:
            heard.append("flush")

    context: Any = Listening()
    conversation = Conversation(context, Kept([], [], "1"))
    call = ToolCall("c", "look", "{}")
    await conversation.answer(Answer("", (call,)), "tool_calls", Usage(1, 1))
    await conversation.outcome(call, {}, {"result": 7})
    assert heard == ["agent.answer", "agent.usage", "flush", "agent.tool", "flush"]


async def test_copies_are_not_made_twice(supervisor: None, endpoint: Endpoint) -> None:
    """An attempt that died while it copied has left a part of them."""
    endpoint.will(saying("One."), saying("Two."))
    first = await asked(cast.plain, "1?")
    second = await asked(cast.plain.continuing(first), "2?")
    run = await row(second)
    copies = TaskEvent.objects.filter(run_id=run.pk, data__contains='"earlier"')
    assert await copies.acount() == 2
    own = [event.seq async for event in TaskEvent.objects.filter(run_id=run.pk).order_by("seq")]
    last_copy = max([event.seq async for event in copies])
    await TaskEvent.objects.filter(run_id=run.pk, seq__gte=last_copy).adelete()
    assert len(own) > 4
    found = await sync_to_async(kept)(run.pk)
    assert [entry.data["text"] for entry in found.entries] == ["1?"]
    assert [entry.data["text"] for entry in found.to_copy] == ["One."]
