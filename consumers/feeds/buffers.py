"""What is kept in memory for watchers, looked up when somebody asks for the figure."""

from consumers.delivered import buffered
from consumers.feeds.fragments import get_fragments
from consumers.feeds.hub import get_hub

__all__ = ["register"]


def register() -> None:
    """Have the figures looked up. Safe to call twice."""
    buffered.labels("feeds").set_function(_feeds)
    buffered.labels("replays").set_function(_replays)
    buffered.labels("fragments").set_function(_fragments)


def _feeds() -> float:
    return get_hub().memory.used if _is_there() else 0


def _replays() -> float:
    return get_hub().replay.size if _is_there() else 0


def _fragments() -> float:
    return get_fragments().size


def _is_there() -> bool:
    """A process that only executes has no hub, and is not given one for a figure."""
    return get_hub.cache_info().currsize > 0
