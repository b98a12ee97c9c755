"""A task that says itself when it is tried again."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tasks.definition import registry
from tasks.exceptions import TaskFailed
from tasks.models import TaskEvent
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.runs import row

pytestmark = pytest.mark.django_db(transaction=True)


async def delays(**options: Any) -> list[float]:
    async with running_supervisor():
        handle = await app.fail_twice.using(**options).aenqueue()
        with pytest.raises(TaskFailed, match="again"):
            await handle.await_result(30)
    assert (await row(handle)).attempt == options.get("max_attempts", 2)
    events = TaskEvent.objects.filter(run=handle.run_id, type="retrying").order_by("seq")
    return [json.loads(event.data)["delay"] async for event in events]


async def test_it_is_asked_after_each_attempt() -> None:
    assert await delays(max_attempts=3) == [0.25, 0.125]


@pytest.mark.parametrize("backoff", ["tests.app.tasks.soon", "tests.app.tasks.soon_too"])
async def test_it_may_be_a_path_and_a_coroutine(
    monkeypatch: pytest.MonkeyPatch, backoff: str
) -> None:
    set_backoff(monkeypatch, backoff)
    assert await delays() == [0.25]


async def test_what_is_tried_again_at_once_waits_for_no_poll(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.HEADWAY = {"POLL": 60}
    set_backoff(monkeypatch, lambda error, run: 0)
    assert await delays(max_attempts=4) == [0, 0, 0]


@pytest.mark.parametrize("backoff", [app.no_idea, "no.such.path", lambda error, run: "soon"])
async def test_one_that_fails_is_said_and_the_settings_hold(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Any, backoff: Any
) -> None:
    settings.HEADWAY = {"BACKOFF": 0.01}
    set_backoff(monkeypatch, backoff)
    (delay,) = await delays()
    assert 0 < delay <= 0.01
    assert any("The backoff of attempt 1" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("answer", [timedelta(seconds=0.01), None, 0])
async def test_what_it_may_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Any, answer: Any
) -> None:
    settings.HEADWAY = {"BACKOFF": 0.02}
    set_backoff(monkeypatch, lambda error, run: answer)
    (delay,) = await delays()
    assert delay <= 0.02
    assert not any("backoff" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("request_", ["stop", "kill"])
async def test_who_deliberates_can_be_ended(monkeypatch: pytest.MonkeyPatch, request_: str) -> None:
    asked = asyncio.Event()

    async def endless(error: BaseException, run: Any) -> None:
        asked.set()
        await asyncio.sleep(3600)  # longer than anybody waits

    set_backoff(monkeypatch, endless)
    async with running_supervisor():
        handle = await app.fail_twice.aenqueue()
        await asked.wait()
        await (handle.astop() if request_ == "stop" else handle.akill())
        assert (await handle.aresult(30)).status == "CANCELLED"
    assert (await row(handle)).attempt == 1


def set_backoff(monkeypatch: pytest.MonkeyPatch, backoff: Any) -> None:
    """As the decorator would have: the run knows its task by name only."""
    changed = replace(app.fail_twice, backoff=backoff)
    monkeypatch.setitem(registry._tasks, app.fail_twice.module_path, changed)
