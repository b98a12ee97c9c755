"""Taking waiting runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from tasks.codec import encode
from tasks.engine.store import log
from tasks.engine.store.backlog import CLAIMABLE_SINCE
from tasks.engine.store.dialect import append, as_uuid, cursor, dialect, read_by_index, writing
from tasks.engine.store.queues import WAITING, Front, Slot, fronts, promote, queues
from tasks.events import STARTED, Event

__all__ = ["Claim", "Slot", "claim", "claim_from"]

_LOWEST = -32768  # priority: what a smallint holds


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
    #: Seconds since it could have been claimed.
    waited: float
    started: Event
    #: That it continues: W3C Trace Context.
    trace: Mapping[str, str] = field(default_factory=dict)
    #: JSON text of its :class:`tasks.definition.options.Options`.
    options: str = "{}"
    #: JSON text; see :mod:`tasks.surroundings.circumstances`.
    context: str = "{}"
    unique_key: str | None = None


def claim(worker_id: str, lease: float, slot: Slot) -> list[Claim]:
    """Take up to ``slot.limit`` waiting runs, highest priority and then oldest first.

    Where queues have runs of the same priority, the one with the oldest gives all it has
    before the next. Each run is RUNNING from here on, its fence raised, its lease *lease*
    seconds long, and its ``started`` event written. While nothing waits, nothing is locked.
    """
    names = _names(slot)
    if not names:
        return []
    if len(names) == 1:
        return _claim_alone(worker_id, lease, names[0], slot.limit)
    with writing() as taking:
        return _sorted(_take_in_turn(_Taker(taking, worker_id, lease), names, slot.limit))


def claim_from(worker_id: str, lease: float, queue_name: str, limit: int) -> list[Claim]:
    """Take waiting runs of one queue, whatever waits in others.

    PostgreSQL is not asked first which queues there are: that saves a round trip. SQLite
    would have to be locked to find out, so it gives none here.
    """
    return _claim_alone(worker_id, lease, queue_name, limit) if dialect().postgres else []


def _claim_alone(worker_id: str, lease: float, queue_name: str, limit: int) -> list[Claim]:
    # PostgreSQL takes from one queue with one statement, which is a transaction by itself.
    with cursor() if dialect().postgres else writing() as taking:
        return _sorted(_Taker(taking, worker_id, lease).take(queue_name, _LOWEST, limit))


def _sorted(claims: list[Claim]) -> list[Claim]:
    """RETURNING promises no order."""
    return sorted(claims, key=lambda taken: (-taken.priority, taken.run_id))


def _names(slot: Slot) -> list[str]:
    """The queues of *slot* in which runs wait, those whose time has just come included."""
    with cursor() as reading:
        names, due = queues(reading, slot)
        if due:
            promote()
            names, _ = queues(reading, slot)
    return names


def _take_in_turn(taker: "_Taker", names: Sequence[str], limit: int) -> list[Claim]:
    claims: list[Claim] = []
    while True:
        before = len(claims)
        waiting = fronts(taker.cursor, names)
        for front, floor in zip(waiting, _floors(waiting), strict=True):
            if room := limit - len(claims):
                claims += taker.take(front.queue_name, floor, room)
        if len(claims) in (before, limit):
            return claims


def _floors(waiting: Sequence[Front]) -> list[int]:
    """For each queue the lowest priority that no queue after it exceeds."""
    if len(waiting) < 2:
        return [_LOWEST] * len(waiting)
    return [following.priority for following in waiting[1:]] + [waiting[-1].priority]


_SET = (
    "status = 'RUNNING', fence = fence + 1, attempt = attempt + 1, last_seq = last_seq + 1,"
    " worker_id = %s, lease_expires_at = {later}, started_at = COALESCE(started_at, {begun}),"
    f" last_attempted_at = {{now}}, worker_ids = {append('worker_ids', '%s')},"
    " changed = {mark}"
)
_PICKED = (
    f"SELECT id FROM headway_run WHERE {WAITING} AND queue_name = %s AND priority >= %s"
    " AND (run_after IS NULL OR run_after <= {now})"
    " ORDER BY priority DESC, id LIMIT %s {skip_locked}"
)
_RETURNED = (
    "id, task, args, kwargs, queue_name, priority, attempt, max_attempts, fence, timeout,"
    " cancel_requested, {waited}, options, context, unique_key, last_seq"
)
_NAMED = _RETURNED.format(waited="waited")
_RETURNING = _RETURNED.format(waited="{waited} AS waited")
_BY_SQLITE = f"UPDATE headway_run SET {_SET} WHERE id IN ({_PICKED}) RETURNING {_RETURNING}"
# As a subquery of the UPDATE's own, the picking might be done more than once, and more
# than the limit be taken.
_BY_POSTGRESQL = (
    f"WITH picked AS MATERIALIZED ({_PICKED}), taken AS (UPDATE headway_run SET {_SET}"
    f" WHERE id IN (SELECT id FROM picked) RETURNING {_RETURNING}),"
    " told AS (INSERT INTO headway_event (run_id, seq, type, at, data)"
    f" SELECT id, last_seq, '{STARTED}', %s::timestamptz,"
    """ '{{"attempt":' || attempt || ',"worker":' || %s || '}}' FROM taken)"""
    f" SELECT {_NAMED} FROM taken"
)


class _Taker:
    """Takes runs for one worker, in one transaction."""

    def __init__(self, cursor: Any, worker_id: str, lease: float) -> None:
        self.cursor = cursor
        self._worker_id = worker_id
        self._lease = lease
        self._now = datetime.now(UTC)

    def take(self, queue_name: str, floor: int, limit: int) -> list[Claim]:
        """Up to *limit* runs of a queue, of priority *floor* and above."""
        form = dialect()
        fragments = {
            "now": form.now,
            "begun": form.begun,
            "later": form.later,
            "mark": form.mark,
            "skip_locked": form.skip_locked,
            "waited": form.since.format(moment=CLAIMABLE_SINCE),
        }
        worker = encode(self._worker_id)
        setting = (self._worker_id, self._lease, worker, worker)
        picking = (queue_name, floor, limit)
        if form.postgres:
            statement = _BY_POSTGRESQL.format(**fragments)
            parameters = (*picking, *setting, form.moment(self._now), worker)
            return [self._claim(row) for row in read_by_index(self.cursor, statement, parameters)]
        self.cursor.execute(_BY_SQLITE.format(**fragments), (*setting, *picking))
        claims = [self._claim(row) for row in self.cursor.fetchall()]
        log.append(self.cursor, [(taken.run_id, taken.started) for taken in claims])
        return claims

    def _claim(self, row: tuple[Any, ...]) -> Claim:
        run_id, *fields, options, context, unique_key, last_seq = row
        data = encode({"attempt": fields[5], "worker": self._worker_id})
        started = Event(last_seq, STARTED, self._now, data)
        taken: Any = partial(Claim, as_uuid(run_id), *fields)
        more = {"options": options, "context": context, "unique_key": unique_key}
        return taken(started, **more)  # type: ignore[no-any-return]
