"""Taking waiting runs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from tasks.codec import encode
from tasks.engine.store import log
from tasks.engine.store.dialect import APPEND, as_uuid, dialect, marks, writing
from tasks.events import STARTED, Event

__all__ = ["Claim", "Slot", "claim"]


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for *limit* runs, of the queues in *only* or of all but those in *but*."""

    limit: int
    only: Collection[str] = ()
    but: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A run this process has taken; *args* and *kwargs* are JSON text."""

    run_id: UUID
    task: str
    args: str
    kwargs: str
    queue_name: str
    priority: int
    attempt: int
    max_attempts: int
    fence: int
    timeout: float | None
    cancel_requested: str
    started: Event


_RETURNED = (
    "id, task, args, kwargs, queue_name, priority, attempt, max_attempts, fence, timeout,"
    " cancel_requested, last_seq"
)


def claim(worker_id: str, lease: float, slot: Slot) -> list[Claim]:
    """Take up to ``slot.limit`` waiting runs, highest priority and then oldest first.

    Each is RUNNING from here on, its fence raised, its lease *lease* seconds long, and
    its ``started`` event written.
    """
    form = dialect()
    queues, names = _queues(slot)
    worker = encode(worker_id)
    with writing() as cursor:
        cursor.execute(
            "UPDATE headway_run SET status = 'RUNNING', fence = fence + 1,"
            f" attempt = attempt + 1, last_seq = last_seq + 1, worker_id = %s,"
            f" lease_expires_at = {form.later}, started_at = COALESCE(started_at, {form.now}),"
            f" last_attempted_at = {form.now}, {APPEND.format(column='worker_ids')}"
            " WHERE id IN (SELECT id FROM headway_run WHERE status = 'READY'"
            f" AND (run_after IS NULL OR run_after <= {form.now}){queues}"
            f" ORDER BY priority DESC, id LIMIT %s {form.skip_locked})"
            f" RETURNING {_RETURNED}",
            (worker_id, lease, worker, worker, *names, slot.limit),
        )
        now = datetime.now(UTC)
        claims = [_claim(row, now, worker_id) for row in cursor.fetchall()]
        log.append(cursor, [(taken.run_id, taken.started) for taken in claims])
    # RETURNING promises no order.
    return sorted(claims, key=lambda taken: (-taken.priority, taken.run_id))


def _queues(slot: Slot) -> tuple[str, tuple[str, ...]]:
    if slot.only:
        return f" AND queue_name IN ({marks(slot.only)})", tuple(slot.only)
    if slot.but:
        return f" AND queue_name NOT IN ({marks(slot.but)})", tuple(slot.but)
    return "", ()


def _claim(row: tuple[object, ...], now: datetime, worker_id: str) -> Claim:
    run_id, *fields, last_seq = row
    attempt = fields[5]
    data = encode({"attempt": attempt, "worker": worker_id})
    started = Event(last_seq, STARTED, now, data)  # type: ignore[arg-type]
    return Claim(as_uuid(run_id), *fields, started)  # type: ignore[arg-type, call-arg]
