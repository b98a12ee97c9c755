"""Asking a run to end."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from tasks.engine.store.dialect import dialect, writing
from tasks.engine.store.writes import RunWrite, apply
from tasks.exceptions import RunDoesNotExist
from tasks.states import CancelRequest, RunStatus

__all__ = ["Waiting", "cancel"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that nobody has claimed yet."""

    run_id: UUID
    fence: int
    last_seq: int


def cancel(
    run_id: UUID, request: CancelRequest, decide: Callable[[Waiting], RunWrite]
) -> tuple[RunStatus, RunWrite | None]:
    """Write the request on a running run; on a waiting one, what *decide* says.

    Returns the status found and what was written of a waiting run. A finished run stays
    as it is. Raises :class:`RunDoesNotExist`.
    """
    form = dialect()
    with writing() as cursor:
        cursor.execute(
            "SELECT status, fence, last_seq, cancel_requested FROM headway_run"
            f" WHERE id = %s {form.for_update}",
            (form.id(run_id),),
        )
        row = cursor.fetchone()
        if row is None:
            raise RunDoesNotExist(f"There is no run {run_id}.")
        status = RunStatus(row[0])
        if status == RunStatus.READY:
            write = decide(Waiting(run_id, row[1], row[2]))
            apply(cursor, [write])
            return status, write
        if status == RunStatus.RUNNING and row[3] not in (CancelRequest.KILL, request):
            cursor.execute(
                "UPDATE headway_run SET cancel_requested = %s,"
                f" changed = {form.mark} WHERE id = %s",
                (str(request), form.id(run_id)),
            )
        return status, None
