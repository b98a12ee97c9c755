"""A run's state for a page that is about to be sent."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tasks.codec import decode, encode
from tasks.engine import store
from tasks.handles import Handle
from tasks.ids import parse_run_id
from tasks.models import TaskRun
from tasks.states import RunStatus

__all__ = ["FirstPaint", "first_paint", "text_up_to"]

_WORDS = {
    RunStatus.READY: "Queued",
    RunStatus.RUNNING: "Running",
    RunStatus.SUCCESSFUL: "Done",
    RunStatus.FAILED: "Failed",
    RunStatus.CANCELLED: "Stopped",
}
_LONGEST = 300  # characters of a value that a page shows


@dataclass(frozen=True, slots=True)
class FirstPaint:
    """What a run is after event *after*, all of it read at once."""

    run_id: str
    after: int
    status: str
    stopping: str | None
    #: Data of the newest progress event, as JSON; nothing if there is none.
    progress: str
    done: float | None = None
    total: float | None = None
    message: str = ""
    outcome: str = ""

    @property
    def word(self) -> str:
        """The state in words."""
        return "Stopping" if self.stopping else _WORDS[RunStatus(self.status)]


def first_paint(run: TaskRun | Handle | UUID | str) -> FirstPaint:
    """The state of a run as it was read; queries only if it is given by its id.

    Raises :class:`RunDoesNotExist` or :class:`MalformedRunId`.
    """
    if isinstance(run, UUID | str):
        run = store.fetch_run(parse_run_id(run))
    progress = run.progress if isinstance(run.progress, dict) else {}
    return FirstPaint(
        run_id=str(run.id),
        after=run.last_seq,
        status=str(run.status),
        stopping=run.stopping,
        progress="" if run.progress is None else encode(run.progress),
        done=_number(progress.get("done")),
        total=_number(progress.get("total")),
        message=str(progress.get("message") or ""),
        outcome=_cut(_outcome(run)) if run.is_finished else "",
    )


def text_up_to(paint: FirstPaint) -> str:
    """What was appended up to where the state was read. It queries."""
    found = map(decode, store.read_text(UUID(paint.run_id), paint.after))
    return "".join(part for part in found if isinstance(part, str))


def _outcome(run: TaskRun | Handle) -> str:
    """The value or the error, for people."""
    if run.status == RunStatus.SUCCESSFUL:
        return "" if run.return_value is None else encode(run.return_value)
    if isinstance(run, TaskRun):
        return str((run.error or {}).get("message", ""))
    # The framework keeps the traceback alone, whose last line has the message.
    return run.errors[-1].traceback.strip().rsplit("\n", 1)[-1] if run.errors else ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
