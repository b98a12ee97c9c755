"""Many rows at once, written by the database itself."""

from itertools import count

from django.db import connection

from tasks.models import TaskRun

__all__ = ["fill"]

_first = count(1)

_FILLED = {
    "args": "'[1]'",
    "kwargs": "'{}'",
    "task": "'tests.app.tasks.add'",
    "backend": "'default'",
    "max_attempts": "1",
    "attempt": "0",
    "fence": "0",
    "worker_id": "''",
    "cancel_requested": "''",
    "last_seq": "1",
    "metadata": "'{}'",
    "errors": "'[]'",
    "worker_ids": "'[]'",
}


def fill(number: int, **columns: object) -> None:
    """Store *number* runs, older than any enqueued one; a column may be SQL with ``n`` in it."""
    values = dict(_FILLED, queue_name="'default'", priority="0", status="'READY'")
    values |= {"deferred": "FALSE", "enqueued_at": _now()} | {k: str(v) for k, v in columns.items()}
    lowest = next(_first) << 40  # ids of one call do not meet those of another
    if connection.vendor == "postgresql":
        identifier = f"lpad(to_hex({lowest} + n), 32, '0')::uuid"
        source = f"generate_series(1, {number}) AS n"
        values["metadata"] += "::jsonb"
    else:
        identifier = f"printf('%032x', {lowest} + n)"
        source = (
            "(WITH RECURSIVE all_n(n) AS"
            f" (SELECT 1 UNION ALL SELECT n + 1 FROM all_n WHERE n < {number})"
            " SELECT n FROM all_n)"
        )
    names, texts = ", ".join(values), ", ".join(values.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TaskRun._meta.db_table} (id, {names})"
            f" SELECT {identifier}, {texts} FROM {source}"
        )


def _now() -> str:
    return "now()" if connection.vendor == "postgresql" else "datetime('now')"
