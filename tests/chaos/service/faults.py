"""Where a process dies by itself: a file in the folder of ``SUITE_FAULTS`` names each point."""

import os
import signal
from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from uuid import UUID

from django.db import transaction

from tasks.engine import store
from tasks.engine.course import Course, courses
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
    store.write_resting = _after(store.write_resting, lambda write: _noted("within", write.run_id))


def _after(function: Callable[..., Any], then: Callable[[Any], None]) -> Callable[..., Any]:
    @wraps(function)
    def both(given: Any) -> Any:
        result = function(given)
        then(given)
        return result

    return both


def _course(run_id: UUID) -> Course:
    return courses(store.stage_events([run_id])).get(run_id, Course())


def _before(run_id: UUID) -> None:
    """The end of a stage is committed, and its pipeline does not know of it."""
    course = _course(run_id)
    # The first to be called after the commit: the next stage has not been claimed here.
    transaction.on_commit(partial(_unless, course, run_id))
    runs = store.stage_runs(list(course.live.values())).values()
    ended = sum(run.status in TERMINAL for run in runs)
    if ended or not course.runs:
        die_once(f"before {len(course.ended) + ended}")


def _unless(course: Course, run_id: UUID) -> None:
    if _course(run_id) != course:
        _noted("after", run_id)


def _noted(where: str, run_id: UUID) -> None:
    """The pipeline knows: not committed yet, or just so."""
    die_once(f"{where} {len(_course(run_id).ended)}")
