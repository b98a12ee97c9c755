"""Where a process dies by itself: a file in the folder of ``SUITE_FAULTS`` names each point."""

import os
import signal
from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from uuid import UUID

from django.db import transaction

from tasks.engine import store
from tasks.engine.pipelines.course import Course, courses
from tasks.states import TERMINAL

__all__ = ["die_once", "install"]


def die_once(point: str) -> None:
    """SIGKILL this process if it, or another one, has not died here yet and is to."""
    folder = os.environ.get("SUITE_FAULTS")
    if folder is None:
        return
    try:
        os.unlink(os.path.join(folder, point))
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def install() -> None:
    """Die at the boundaries of stages: at *n*, when so many have ended."""
    store.lock_resting = _after(store.lock_resting, _before)
    store.write_resting = _after(store.write_resting, _within)


def _after(function: Callable[..., Any], then: Callable[[Any], None]) -> Callable[..., Any]:
    @wraps(function)
    def both(given: Any) -> Any:
        result = function(given)
        then(given)
        return result

    return both


def _course(run_id: UUID) -> Course:
    return courses(store.stage_events([run_id])).get(run_id, Course())


#: How many stages have ended by what a transaction writes, by its pipeline.
_written: dict[UUID, list[int]] = {}


def _before(run_id: UUID) -> None:
    """The end of a stage is committed, and its pipeline does not know of it."""
    written = _written[run_id] = list[int]()
    # The first to be called after the commit: the next stage has not been claimed here.
    transaction.on_commit(partial(_committed, written))
    course = _course(run_id)
    runs = store.stage_runs(list(course.live.values())).values()
    ended = sum(run.status in TERMINAL for run in runs)
    if ended or not course.runs:
        die_once(f"before {len(course.ended) + ended}")


def _within(write: store.RunWrite) -> None:
    """The pipeline knows, and that is not committed yet."""
    ended = len(_course(write.run_id).ended)
    _written[write.run_id].append(ended)
    die_once(f"within {ended}")


def _committed(written: list[int]) -> None:
    for ended in written:
        die_once(f"after {ended}")
