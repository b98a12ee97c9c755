"""A run's row, read from outside of the server."""

from typing import NamedTuple

from tests.live import LiveServer

__all__ = ["Row", "row"]


class Row(NamedTuple):
    status: str
    attempt: int


def row(server: LiveServer, run_id: str) -> Row:
    (found,) = server.stack.rows(
        "SELECT status, attempt FROM headway_run WHERE id = ?", [server.stack.key(run_id)]
    )
    return Row(*found)
