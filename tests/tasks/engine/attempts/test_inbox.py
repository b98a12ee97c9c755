"""What is sent to a run is received, in order, by each of its attempts."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from tasks.engine import store
from tasks.engine.store import messages as stored
from tasks.exceptions import InboxFull, InvalidValue, RunCancelled, RunDoesNotExist, RunFinished
from tasks.ids import new_run_id
from tasks.message import Message
from tasks.testing import running_supervisor
from tests.app import interactive
from tests.tasks.watching import PATIENCE, data, emitted

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = ("take", "take_in_thread", "take_apart", "take_apart_async")


@pytest.fixture
async def supervisor() -> AsyncIterator[None]:
    async with running_supervisor():
        yield


@pytest.mark.parametrize("name", KINDS)
async def test_in_order_whenever_it_was_sent(supervisor: None, name: str) -> None:
    handle = await getattr(interactive, name).aenqueue(4)
    await handle.asend("at once")
    await emitted(handle, "listening")
    for value in ({"ü": [1]}, None, 2**60):
        await handle.asend(value)
    assert await handle.await_result(PATIENCE) == ["at once", {"ü": [1]}, None, 2**60]


@pytest.mark.parametrize("name", ["take_in_thread", "take_apart"])
async def test_the_next_attempt_begins_with_the_first(supervisor: None, name: str) -> None:
    handle = await getattr(interactive, name).using(max_attempts=2).aenqueue(2, fail_first=True)
    await handle.asend(1)
    await handle.asend(2)
    assert await handle.await_result(PATIENCE) == [1, 2]
    assert await data(handle, "taken") == [[1, 2]] * 2


@pytest.mark.parametrize("name", ["wait_in_vain", "wait_in_vain_in_thread"])
async def test_what_comes_after_a_timeout_is_not_lost(supervisor: None, name: str) -> None:
    handle = await getattr(interactive, name).aenqueue()
    # However long it takes to come: the first wait is over, or the message is there for it.
    await handle.asend("late")
    assert await handle.await_result(PATIENCE) in ("late", "received")


@pytest.mark.parametrize("name", KINDS)
async def test_who_waits_is_stopped(supervisor: None, name: str) -> None:
    handle = await getattr(interactive, name).aenqueue(1)
    await emitted(handle, "listening")
    await handle.astop()
    with pytest.raises(RunCancelled):
        await handle.await_result(PATIENCE)


async def test_a_command_reads_it(supervisor: None) -> None:
    handle = await interactive.repeat.aenqueue()
    assert (await emitted(handle, "output"))["text"] == "got first"
    for value in ("second", {"third": 3}, None):
        await handle.asend(value)
    await handle.await_result(PATIENCE)
    texts = [item["text"] for item in await data(handle, "output")]
    assert texts == ["got first", "got second", 'got {"third":3}']


async def test_more_than_a_look_brings(supervisor: None) -> None:
    handle = await interactive.take.aenqueue(250)
    await asyncio.gather(*[handle.asend(number) for number in range(250)])
    assert sorted(await handle.await_result(PATIENCE)) == list(range(250))


async def test_a_finished_run_refuses(supervisor: None) -> None:
    handle = await interactive.take.aenqueue(0)
    await handle.await_result(PATIENCE)
    with pytest.raises(RunFinished, match="SUCCESSFUL"):
        await handle.asend(1)


def test_what_cannot_be_sent() -> None:
    handle = interactive.take.enqueue(1)
    with pytest.raises(InvalidValue):
        handle.send(b"bytes")
    with pytest.raises(RunDoesNotExist):
        store.send(new_run_id(), "1")


def test_a_run_takes_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_MESSAGES", 1)
    handle = interactive.take.enqueue(1)
    handle.send(1)
    with pytest.raises(InboxFull):
        handle.send(2)


async def test_with_the_transaction(supervisor: None) -> None:
    handle = await interactive.take.aenqueue(1)
    await emitted(handle, "listening")

    def send() -> None:
        with transaction.atomic():
            handle.send("never")
            transaction.set_rollback(True)
        with transaction.atomic():
            handle.send("sent")

    await sync_to_async(send)()
    assert await handle.await_result(PATIENCE) == ["sent"]


async def test_they_go_with_the_run(supervisor: None) -> None:
    handle = await interactive.take.aenqueue(1)
    await handle.asend(1)
    await handle.await_result(PATIENCE)
    assert await Message.objects.acount() == 1
    await sync_to_async(store.discard)([handle.run_id], events=1000)
    assert await Message.objects.acount() == 0
