"""A run's current state as clients see it."""

from datetime import UTC, datetime
from typing import Any

from django.urls import NoReverseMatch, reverse

from consumers.paths import run_path
from tasks.codec import decode, encode
from tasks.conf import conf
from tasks.engine import store
from tasks.events import Event, envelope
from tasks.models import TaskRun
from tasks.states import RunStatus

__all__ = ["listed_envelope", "snapshot", "snapshot_envelope"]


def snapshot(run: TaskRun) -> dict[str, Any]:
    """All of a run but what is for its operators only: arguments, tracebacks, leases."""
    successful = run.status == RunStatus.SUCCESSFUL
    return {
        "id": str(run.pk),
        "task": run.task,
        "status": run.status,
        "stopping": run.stopping,
        "stop_ignored": run.stop_ignored,
        "progress": run.progress,
        "attempt": run.attempt,
        "max_attempts": run.max_attempts,
        "queue_name": run.queue_name,
        "priority": run.priority,
        "metadata": run.metadata,
        "enqueued_at": _moment(run.enqueued_at),
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at),
        "last_seq": run.last_seq,
        "return_value": run.return_value if successful else None,
        # A run that succeeded in the end has no error, whatever its first attempts did.
        "error": None if successful else run.error,
        "links": _links(run),
    }


def snapshot_envelope(run: TaskRun) -> bytes:
    """The snapshot as the first event of a stream that begins after it. It queries.

    With the ``text`` that was appended up to here, or None: it stands in the log alone,
    where it costs each event what it is long and not what the whole is long. The event is
    no entry of the log, so its seq is that of the newest one: a client continues after it
    like after any other event.
    """
    content = snapshot(run) | {"text": _text(run)}
    event = Event(run.last_seq, "snapshot", datetime.now(UTC), encode(content))
    return envelope(run.pk, event).encode()


def listed_envelope(run: TaskRun) -> bytes:
    """The state of a run on a list: without what may be large, and what its id tells."""
    content = snapshot(run)
    for name in ("progress", "return_value", "links"):
        del content[name]
    event = Event(run.last_seq, "run", datetime.now(UTC), encode(content))
    return envelope(run.pk, event).encode()


def _text(run: TaskRun) -> str | None:
    found = map(decode, store.read_text(run.pk, run.last_seq))
    parts = [part for part in found if isinstance(part, str)]  # a task may emit the type itself
    return "".join(parts) if parts else None


def _moment(at: datetime | None) -> str | None:
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _links(run: TaskRun) -> dict[str, str]:
    links = {"websocket": run_path(run.pk)} if conf().offers("websocket") else {}
    for name, view in (("self", "run"), ("events", "events"), ("stop", "stop")):
        if name == "events" and not conf().offers("sse"):
            continue
        try:
            links[name] = reverse(f"headway:{view}", args=[run.pk])
        except NoReverseMatch:  # a project may offer WebSockets and leave our URLs out
            break
    return links
