"""Runs as an operator sees them: found by what was typed, told in JSON and in words."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from tasks.cli.exits import Exit, failure
from tasks.engine import store
from tasks.exceptions import MalformedRunId, RunDoesNotExist
from tasks.ids import parse_run_id
from tasks.models import TaskRun
from tasks.states import RunStatus

__all__ = ["brief", "compact", "error_line", "found", "moment", "parsed", "told", "when"]


def parsed(typed: Iterable[str]) -> list[UUID]:
    """Run ids, each once, in the order they were typed."""
    try:
        return list(dict.fromkeys(map(parse_run_id, typed)))
    except MalformedRunId as error:
        raise failure(Exit.NO_SUCH_RUN, str(error)) from None


def found(run_id: UUID) -> TaskRun:
    """The whole run."""
    try:
        return store.fetch_run(run_id)
    except RunDoesNotExist as error:
        raise failure(Exit.NO_SUCH_RUN, str(error)) from None


def brief(run: TaskRun) -> dict[str, Any]:
    """The state of a run, as JSON: without what may be large."""
    return {
        "id": str(run.pk),
        "task": run.task,
        "status": run.status,
        "stopping": run.stopping,
        "stop_ignored": run.stop_ignored,
        "queue_name": run.queue_name,
        "priority": run.priority,
        "attempt": run.attempt,
        "max_attempts": run.max_attempts,
        "progress": run.progress,
        "metadata": run.metadata,
        "user_id": None if run.user_id is None else str(run.user_id),
        "worker_id": run.worker_id or None,
        "enqueued_at": moment(run.enqueued_at),
        "run_after": moment(run.run_after),
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
        "last_seq": run.last_seq,
        "error": None if run.status == RunStatus.SUCCESSFUL else run.error,
    }


def told(run: TaskRun) -> dict[str, Any]:
    """All of a run, as JSON. Of its environment only the names: the values may be secrets."""
    options = dict(run.options)
    if "env" in options:
        options["env"] = sorted(options["env"])
    return brief(run) | {
        "args": run.args,
        "kwargs": run.kwargs,
        "timeout": run.timeout,
        "options": options,
        "context": run.context,
        "unique_key": run.unique_key,
        "return_value": run.return_value if run.status == RunStatus.SUCCESSFUL else None,
        "errors": run.errors,
        "worker_ids": run.worker_ids,
    }


def error_line(run: TaskRun) -> str:
    """Why it ended as it did, in a line."""
    error = run.error
    if error is None:
        return ""
    kind = str(error["type"]).rpartition(".")[2]
    return f"{kind}: {error['message']}" if error["message"] else kind


def when(moment: datetime | None) -> str:
    """For people: in the current time zone, to the second."""
    return "-" if moment is None else f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


def compact(value: Any) -> str:
    """JSON for people: without escapes."""
    return json.dumps(value, ensure_ascii=False)


def moment(at: datetime | None) -> str | None:
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
