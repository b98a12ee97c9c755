"""A StreamTask over HTTP, through Django's whole middleware and the real hub."""

import pytest
from django.test import AsyncClient
from django.utils import timezone

from consumers.feeds.hub import Hub
from tasks.coordinator import coordinator
from tasks.models import TaskRun
from tests.streamed.models import ContinueTask, ExampleTask, OddTask, TwinTask

from ..asking import refused
from ..connections import HttpStream
from .taskreader import JSON, blocks, finished, had, ids, made, path, read, state


async def test_the_whole_log_of_a_finished_task(engine: None, anyone: None) -> None:
    task = await made(ExampleTask)
    await finished(task)
    found = await read(task)
    assert [block.event for block in found] == [
        *("run.queued", "run.started", "start"),
        *["progress"] * 3,
        *("complete", "run.finished"),
    ]
    assert [block.id for block in found] == ids(task, 8)
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
    await task.arefresh_from_db()
    assert [block.id for block in live] == ids(task, 6)
    assert live == await read(task)
    for after in (live[3].id, "4"):
        assert await read(task, after) == live[4:]
    for after in (live[5].id, "6"):
        assert (await HttpStream(path(task), headers=had(after)).open()).status == 204


async def test_who_was_there_before_a_restart_begins_anew(engine: None, anyone: None) -> None:
    task = await made(OddTask, kind="raises")
    await finished(task)
    first = await read(task)
    await finished(task)
    again = await read(task)
    assert [block.id for block in again] == ids(task, len(first))
    for block in first:  # the last one's number is that of the new log's end as well
        assert await read(task, block.id) == again
    assert await read(task, str(len(first) + 5)) == again


@pytest.mark.parametrize("after", ["x", "1-", "1-2c3d4e5f607", "latest-2c3d4e5f6071", "-1", "1\n"])
async def test_no_place_in_any_log(engine: None, anyone: None, after: str) -> None:
    task = await made(ExampleTask)
    await finished(task)
    refused(await AsyncClient().get(path(task), {"after": after}), 400, "bad_cursor")


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
    assert (block.id, block.event) == (ids(task, 1)[0], "run.finished")
    assert block.data["return_value"] == task.final_value
    assert (await state(task))["status"] == "completed"
    assert (await HttpStream(path(task), headers=had(block.id)).open()).status == 204
    # Who was in the middle of it hears of its end too.
    for after in (ids(task, 5)[4], f"1-{'a' * 12}"):
        assert await read(task, after) == [block]
    assert (await HttpStream(path(failed)).open()).json["error"]["code"] == "run_gone"
    assert (await state(failed))["status"] == "gone"


async def test_a_row_that_was_completed_without_a_run(hub: Hub, anyone: None) -> None:
    task = await made(ExampleTask, completed_at=timezone.now(), final_value=5)
    [block] = await read(task)
    assert (block.event, block.data["return_value"]) == ("run.finished", 5)
    assert (await HttpStream(path(task), headers=had(block.id)).open()).status == 204


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
