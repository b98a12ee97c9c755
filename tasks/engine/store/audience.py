"""How many watch runs, as the processes say in which they do."""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any
from uuid import UUID

from tasks.engine.store.dialect import as_uuid, cursor, dialect, in_groups, marks

__all__ = ["SILENT", "audience", "dismiss", "note_audience", "renew_audience"]

SILENT = 45.0  #: seconds after which what a process has said counts no more
_AT_ONCE = 300  # rows of a statement: old builds of SQLite take 999 parameters


def note_audience(process: str, watchers: Mapping[UUID, int]) -> None:
    """Write how many watch these runs in *process* now; a statement for hundreds of them."""
    form = dialect()
    with cursor() as open_cursor:
        for some in _few(watchers):
            rows = ", ".join([f"(%s, %s, %s, {form.now})"] * len(some))
            open_cursor.execute(
                "INSERT INTO headway_audience (run_id, process, watchers, seen_at)"
                f" VALUES {rows} ON CONFLICT (run_id, process) DO UPDATE"
                " SET watchers = excluded.watchers, seen_at = excluded.seen_at",
                [value for run_id, count in some for value in (form.id(run_id), process, count)],
            )


def renew_audience(process: str) -> None:
    """Say that what *process* has said is so, and remove what nobody says any more."""
    form = dialect()
    with cursor() as open_cursor:
        open_cursor.execute(
            f"UPDATE headway_audience SET seen_at = {form.now} WHERE process = %s AND watchers > 0",
            (process,),
        )
        open_cursor.execute(
            f"DELETE FROM headway_audience WHERE seen_at < {form.later}", (-2 * SILENT,)
        )


def dismiss(process: str) -> None:
    """Nobody watches there any more."""
    with cursor() as open_cursor:
        open_cursor.execute("DELETE FROM headway_audience WHERE process = %s", (process,))


def audience(run_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many watch these runs in all processes; who is watched by nobody is absent."""
    form = dialect()
    found: dict[UUID, int] = {}
    with cursor() as open_cursor:
        for some in in_groups([form.id(run_id) for run_id in run_ids]):
            open_cursor.execute(
                "SELECT run_id, SUM(watchers) FROM headway_audience"
                f" WHERE run_id IN ({marks(some)}) AND watchers > 0 AND seen_at >= {form.later}"
                " GROUP BY run_id",
                (*some, -SILENT),
            )
            found |= {as_uuid(run_id): int(count) for run_id, count in open_cursor.fetchall()}
    return found


def _few(watchers: Mapping[UUID, int]) -> Iterator[list[tuple[UUID, int]]]:
    items: Iterator[Any] = iter(watchers.items())
    while some := list(islice(items, _AT_ONCE)):
        yield some
