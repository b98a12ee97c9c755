"""The paths of WebSockets."""

from uuid import UUID

from tasks.conf import conf

__all__ = ["handles", "is_for_many", "run_in", "run_path"]


def handles(path: str) -> bool:
    """Whether a WebSocket to *path* is ours."""
    return path.startswith(_root())


def run_path(run_id: UUID) -> str:
    """The path at which a run is watched."""
    return f"{_root()}{run_id}/"


def is_for_many(path: str) -> bool:
    """Whether a path of ours names no run, as the one for many does."""
    return path == _root()


def run_in(path: str) -> str:
    """The run id in a path of ours."""
    return path.removeprefix(_root()).removesuffix("/")


def _root() -> str:
    return f"/{conf().websocket_path.strip('/')}/"
