"""What clients see of a run, and what they do not."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from consumers.snapshot import snapshot, snapshot_envelope
from tasks.models import TaskEvent, TaskRun
from tasks.states import RunStatus

from .rows import stored

AT = datetime(2026, 11, 21, 16, 4, 5, 123456, tzinfo=UTC)


def run(**fields: Any) -> TaskRun:
    fields.setdefault("id", uuid4())
    return TaskRun(task="shop.tasks.import_catalog", enqueued_at=AT, **fields)


def test_its_keys() -> None:
    assert list(snapshot(run())) == [
        "id",
        "task",
        "status",
        "stopping",
        "stop_ignored",
        "progress",
        "attempt",
        "max_attempts",
        "queue_name",
        "priority",
        "metadata",
        "enqueued_at",
        "started_at",
        "finished_at",
        "last_seq",
        "return_value",
        "error",
        "links",
    ]


@pytest.mark.parametrize(
    ("status", "request_", "stopping"),
    [
        ("RUNNING", "", None),
        ("RUNNING", "stop", "stop"),
        ("READY", "kill", "kill"),
        ("CANCELLED", "stop", None),
    ],
)
def test_it_is_stopping_until_it_has_ended(
    status: str, request_: str, stopping: str | None
) -> None:
    assert snapshot(run(status=status, cancel_requested=request_))["stopping"] == stopping


def test_times_are_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    found = snapshot(run(started_at=AT.astimezone(tokyo)))
    assert found["enqueued_at"] == found["started_at"] == "2026-11-21T16:04:05.123456Z"
    assert found["finished_at"] is None


def test_links() -> None:
    one = run()
    assert snapshot(one)["links"] == {
        "self": f"/tasks/{one.pk}/",
        "events": f"/tasks/{one.pk}/events/",
        "stop": f"/tasks/{one.pk}/stop/",
        "websocket": f"/ws/tasks/{one.pk}/",
    }


def test_links_of_a_project_without_our_urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.consumers.test_middleware"
    settings.HEADWAY = {"WEBSOCKET_PATH": "live"}
    one = run()
    assert snapshot(one)["links"] == {"websocket": f"/live/{one.pk}/"}


ERROR = {"type": "builtins.ValueError", "message": "no", "traceback": "secret stack"}


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.READY])
def test_an_error_has_no_traceback(status: RunStatus) -> None:
    found = snapshot(run(status=status, errors=[ERROR]))
    assert found["error"] == {"type": "builtins.ValueError", "message": "no"}
    assert "secret" not in json.dumps(found)
    assert found["return_value"] is None


def test_success_forgets_the_failed_attempts() -> None:
    found = snapshot(run(status=RunStatus.SUCCESSFUL, errors=[ERROR], return_value=[1]))
    assert (found["error"], found["return_value"]) == (None, [1])


def test_arguments_and_leases_are_nobodys_business() -> None:
    one = run(args=["secret"], kwargs={"key": "secret"}, worker_id="secret", unique_key="secret")
    assert "secret" not in json.dumps(snapshot(one))


@pytest.mark.django_db(transaction=True)
def test_as_an_event() -> None:
    one = run(last_seq=7)
    line = snapshot_envelope(one)
    assert b"\n" not in line
    event = json.loads(line)
    assert (event["seq"], event["type"], event["run"]) == (7, "snapshot", str(one.pk))
    assert event["data"] == snapshot(one) | {"text": None}


@pytest.mark.django_db(transaction=True)
async def test_the_text_is_that_up_to_there() -> None:
    one = await stored()
    says = [("started", "{}"), ("append", '"old"'), ("started", "{}"), ("append", '"a\\n"')]
    says += [("step", "1"), ("append", "7"), ("append", '"b"'), ("append", '"later"')]
    for seq, (type_, data) in enumerate(says, 1):
        await TaskEvent.objects.acreate(run=one, seq=seq, type=type_, at=one.enqueued_at, data=data)
    one.last_seq = 7
    event = json.loads(await sync_to_async(snapshot_envelope)(one))
    assert event["data"]["text"] == "a\nb"
