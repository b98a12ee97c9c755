"""What processes tell each other besides events."""

from collections.abc import Callable
from enum import StrEnum

__all__ = ["Hear", "News"]


class News(StrEnum):
    RUN = "run"  # one was enqueued
    CANCEL = "cancel"  # one was asked to end
    MESSAGE = "message"  # one was sent to a run, or somebody begins to listen
    LISTS = "lists"  # somewhere, lists of runs are watched: see tasks.engine.news.tidings


#: Called on the loop with what another process tells.
Hear = Callable[[News], None]
