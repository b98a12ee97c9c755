"""A run's row, read from outside of the server."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

__all__ = ["Row", "row"]


class Row(NamedTuple):
    status: str
    attempt: int


def row(folder: Path, run_id: str) -> Row:
    with closing(sqlite3.connect(folder / "db.sqlite3", timeout=10)) as connection:
        found = connection.execute(
            "SELECT status, attempt FROM headway_run WHERE id = ?", [UUID(run_id).hex]
        ).fetchone()
    return Row(*found)
