"""A StreamTask over HTTP, through Django's whole middleware and the real hub."""

import pytest
from django.test import AsyncClient

from consumers.feeds.hub import Hub
from tasks.coordinator import coordinator
from tasks.models import TaskRun
from tests.streamed.models import ContinueTask, ExampleTask, OddTask, TwinTask

from ..asking import refused
from ..connections import HttpStream
from .taskreader import JSON, blocks, finished, made, path, read, state


async def test_the_whole_log_of_a_finished_task(engine: None, anyone: None) -> None:
    task = await made(ExampleTask)
    await finished(task)
    found = await read(task)
    assert [block.event for block in found] == [
        *("run.queued", "run.started", "start"),
        *["progress"] * 3,
        *("complete", "run.finished"),
    ]
    assert [block.id for block in found] == list(range(1, 9))
    assert found[3].data["step"] == 1
    assert (found[3].data["_task_id"], found[3].data["_model"]) == (task.pk, "ExampleTask")
    assert found[-1].data["return_value"] == task.final_value


async def test_an_author_s_names_arrive_as_they_were_sent(engine: None, anyone: None) -> None:
    task = await made(OddTask, kind="names")
    await finished(task)
    names = ["finished", "run.started", "stream", "step 1", "queued"]
    sent = [block for block in await read(task) if block.data.get("name") == block.event]
    assert [block.event for block in sent] == names


async def test_who_comes_live_and_who_comes_back(engine: None, anyone: None) -> None:
    task = await made(ContinueTask)
    await coordinator.start_task(task)
    stream = await HttpStream(path(task)).open()
    assert await stream.chunk() == b"retry: 1000\n: heartbeat 15\n"
    text = b""
    while b"event: started\n" not in text:
        text += await stream.chunk()
    await ContinueTask._default_manager.filter(pk=task.pk).aupdate(continue_field=True)
    text += await stream.body()
    live = blocks(text)
    assert [block.id for block in live] == list(range(1, 7))
    assert live == await read(task)
    assert await read(task, [(b"last-event-id", b"4")]) == live[4:]
    ended = await HttpStream(path(task), headers=[(b"last-event-id", b"6")]).open()
    assert ended.status == 204


async def test_who_was_there_before_a_restart_begins_anew(engine: None, anyone: None) -> None:
    task = await made(OddTask, kind="raises")
    await finished(task)
    first = await read(task)
    await finished(task)
    beyond = str(len(first) + 5).encode()
    again = await read(task, [(b"last-event-id", beyond)])
    assert again == await read(task)
    assert again[0].id == 1


async def test_a_failure_ends_the_stream_and_shows_no_traceback(engine: None, anyone: None) -> None:
    task = await made(OddTask, kind="raises")
    await finished(task)
    stream = await HttpStream(path(task)).open()
    body = await stream.body()
    last = blocks(body)[-1]
    assert (last.event, last.data["message"]) == ("error", "It broke.")
    assert last.data["type"] == "builtins.RuntimeError"
    assert b"Traceback" not in body
    assert b".py" not in body
    assert (await state(task))["error"] == {"type": "builtins.RuntimeError", "message": "It broke."}


async def test_what_json_cannot_hold_ends_the_stream_too(engine: None, anyone: None) -> None:
    task = await made(OddTask, kind="unserialisable")
    await finished(task)
    last = (await read(task))[-1]
    assert last.event == "error"
    assert "object" in last.data["message"]


async def test_the_state_as_json(engine: None, anyone: None) -> None:
    task = await made(ExampleTask)
    nothing = {"final_value": None, "completed_at": None}
    assert await state(task) == {"status": "pending", **nothing}
    await finished(task)
    assert await state(task) == {
        "status": "completed",
        "final_value": task.final_value,
        "completed_at": task.completed_at.isoformat(),
    }
    waiting = await made(ContinueTask)
    await coordinator.start_task(waiting)
    assert await state(waiting) == {"status": "running", **nothing}
    await coordinator.stop_task(waiting)


async def test_an_unstarted_task_says_so_and_has_its_viewers_come_again(
    hub: Hub, anyone: None
) -> None:
    task = await made(ExampleTask)
    stream = await HttpStream(path(task)).open()
    body = await stream.body()
    assert body.startswith(b"retry: ")
    [block] = blocks(body)
    assert (block.id, block.event) == (None, "run.pending")
    assert await TaskRun.objects.acount() == 0


async def test_gets_start_nothing(engine: None, anyone: None) -> None:
    failed = await made(OddTask, kind="raises")
    await finished(failed)
    done = await made(ExampleTask)
    await finished(done)
    unstarted = await made(ExampleTask)
    before = await TaskRun.objects.acount()
    for task in (failed, done, unstarted):
        for headers in ((), JSON):
            for _ in range(10):
                stream = await HttpStream(path(task), headers=headers).open()
                if not headers:
                    await stream.body()
    assert await TaskRun.objects.acount() == before == 2


async def test_when_its_run_is_deleted(engine: None, anyone: None) -> None:
    task = await made(ExampleTask)
    await finished(task)
    failed = await made(OddTask, kind="raises")
    await finished(failed)
    await TaskRun.objects.all().adelete()
    [block] = await read(task)
    assert (block.id, block.event) == (1, "run.finished")
    assert block.data["return_value"] == task.final_value
    assert (await state(task))["status"] == "completed"
    again = await HttpStream(path(task), headers=[(b"last-event-id", b"1")]).open()
    assert again.status == 204
    assert (await HttpStream(path(failed)).open()).json["error"]["code"] == "run_gone"
    assert (await state(failed))["status"] == "gone"


async def test_two_apps_with_the_same_model(hub: Hub, anyone: None) -> None:
    task = await made(TwinTask)
    short = await AsyncClient().get(path(task))
    refused(short, 404, "ambiguous_model")
    assert f"/stream/<app_label>/TwinTask/{task.pk}" in short.content.decode()
    long = await HttpStream(f"/stream/streamed/TwinTask/{task.pk}").open()
    assert long.status == 200
    other = await AsyncClient().get(f"/stream/streamed_twin/TwinTask/{task.pk}")
    refused(other, 404, "no_such_task")


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ("/stream/Nothing/1", 404, "no_such_model"),
        ("/stream/auth/User/1", 404, "no_such_model"),
        ("/stream/nowhere/ExampleTask/1", 404, "no_such_model"),
        ("/stream/ExampleTask/1", 404, "no_such_task"),
        (f"/stream/ExampleTask/{10**30}", 404, "no_such_task"),
        ("/stream/ExampleTask/one", 400, "malformed_id"),
    ],
)
async def test_what_there_is_not(
    hub: Hub, anyone: None, wanted: str, status: int, code: str
) -> None:
    refused(await AsyncClient().get(wanted), status, code)
