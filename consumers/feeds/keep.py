"""Keeping what is watched from being deleted for its age."""

from consumers.refusal import Refusal
from tasks.engine import store
from tasks.models import TaskRun

__all__ = ["keep"]


def keep(run: TaskRun) -> None:
    """Keep the log of a finished run until the hub sees to it; refuse if it has gone.

    For before a stream of it begins, in a thread that may query. A run that goes on
    needs none of this: when it has finished, it is left alone for a minute.
    """
    if run.pk not in store.keep([run.pk]):
        raise Refusal(404, "no_such_run", "There is no run with this id.")
