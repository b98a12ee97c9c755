"""What an attempt's end writes: the last events, and the change of the run. Pure functions."""

import traceback
from datetime import UTC, datetime
from typing import Any

from tasks.codec import encode
from tasks.conf import conf
from tasks.engine.store import Change, Expired, RunWrite, Waiting
from tasks.events import FINISHED, PIPELINE, RETRYING, Event
from tasks.exceptions import RunCancelled, RunLost, TaskRaised
from tasks.states import Ending, RunStatus, backoff, next_status

__all__ = [
    "End",
    "Rests",
    "cancelled",
    "cancelled_while_waiting",
    "conclude",
    "described",
    "lost_with_its_process",
]

_TRACEBACK_CHARACTERS = 20_000  # the newest frames are the ones that help


class End:
    """How an attempt ended: with a value (JSON text), or with an error."""

    __slots__ = ("delay", "ending", "error", "value")

    def __init__(
        self, ending: Ending, *, value: str = "null", error: BaseException | None = None
    ) -> None:
        self.ending = ending
        self.value = value
        self.error = error
        #: Seconds until the next attempt, where the task says so itself.
        self.delay: float | None = None


class Rests:
    """What a pipeline's task returns: the run goes on, held by no process. *data* is told."""

    __slots__ = ("data",)

    def __init__(self, data: object) -> None:
        self.data = data


def described(error: BaseException) -> dict[str, str]:
    """An error as it is kept: import path, message, and traceback."""
    if isinstance(error, TaskRaised):
        return error.description
    kind = type(error)
    text = "".join(traceback.format_exception(error))
    return {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "message": _printable(str(error)),
        "traceback": _printable(text)[-_TRACEBACK_CHARACTERS:],
    }


def _printable(text: str) -> str:
    # A message may hold lone surrogates (file names do); no JSON and no database takes them.
    return text.encode("utf-8", "backslashreplace").decode()


def conclude(end: End, *, seq: int, attempt: int, max_attempts: int) -> tuple[Event, Change]:
    """The event with number *seq* that closes an attempt, and what becomes of the run."""
    delay = end.delay
    if delay is None:
        delay = backoff(attempt, conf().backoff, conf().backoff_max)
    following = next_status(end.ending, attempt, max_attempts, delay)
    error = described(end.error) if end.error is not None else None
    shown = {"type": error["type"], "message": error["message"]} if error else None
    now = datetime.now(UTC)
    if following.status == RunStatus.READY:
        data: dict[str, Any] = {
            "attempt": attempt,
            "max_attempts": max_attempts,
            "reason": str(end.ending),
            "delay": round(following.delay, 3),
            "error": shown,
        }
        event = Event(seq, RETRYING, now, encode(data))
        kept = encode(error) if error and following.counted else None
        change = Change(
            RunStatus.READY, error=kept, delay=following.delay, counted=following.counted
        )
        return event, change
    if following.status == RunStatus.RUNNING:
        return Event(seq, PIPELINE, now, end.value), Change(following.status)
    if following.status == RunStatus.SUCCESSFUL:
        return (
            Event(seq, FINISHED, now, _successful(end.value)),
            Change(following.status, return_value=end.value, finished_at=now),
        )
    data = {"status": str(following.status), "error": shown}
    return (
        Event(seq, FINISHED, now, encode(data)),
        Change(following.status, error=encode(error) if error else None, finished_at=now),
    )


def _successful(value: str) -> str:
    if len(value) > conf().event_bytes:
        # Too large to send to every watcher; the run's snapshot has it.
        return '{"status":"SUCCESSFUL","return_value":null,"return_value_omitted":true}'
    return f'{{"status":"SUCCESSFUL","return_value":{value}}}'


def cancelled(request: str) -> End:
    """The end of an attempt that was stopped or killed."""
    return End(Ending.CANCELLED, error=RunCancelled(f"The run was ended by request: {request}."))


def lost_with_its_process(run: Expired) -> RunWrite:
    """What is written of a run whose process died: another try, or the end."""
    if run.cancel_requested:
        end = cancelled(run.cancel_requested)
    else:
        error = RunLost(f"The process {run.worker_id} died, or lost its lease, with the run.")
        end = End(Ending.LOST, error=error)
    event, change = conclude(
        end,
        seq=run.last_seq + 1,
        attempt=run.attempt,
        max_attempts=max(run.max_attempts, conf().lost_attempts),
    )
    return RunWrite(run.run_id, run.fence, [event], change=change)


def cancelled_while_waiting(run: Waiting) -> RunWrite:
    """What is written of a run that is stopped or killed before it was claimed."""
    end = cancelled("before it started")
    event, change = conclude(end, seq=run.last_seq + 1, attempt=0, max_attempts=0)
    return RunWrite(run.run_id, run.fence, [event], change=change)
