"""What is sent to runs, and who receives it."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from tasks.engine.store.dialect import as_uuid, cursor, dialect, marks, writing
from tasks.exceptions import InboxFull, RunDoesNotExist, RunFinished
from tasks.states import TERMINAL

__all__ = ["MOST_MESSAGES", "Sent", "delete_messages", "messages_after", "send"]

MOST_MESSAGES = 10_000  #: to one run: who sends without end fills no disk
_RUNS_AT_ONCE = 200
_AT_ONCE = 100  # messages of a look


class Sent(NamedTuple):
    """A message; *data* is JSON text."""

    run_id: UUID
    number: int
    data: str


def send(run_id: UUID, data: str) -> int:
    """Store a message to a run that has not finished; its number."""
    form = dialect()
    key = form.id(run_id)
    with writing() as sending:
        # Locked, so that the numbers are in the order of the commits.
        sending.execute(f"SELECT status FROM headway_run WHERE id = %s {form.for_update}", (key,))
        row = sending.fetchone()
        if row is None:
            raise RunDoesNotExist(f"There is no run {run_id}.")
        if row[0] in TERMINAL:
            raise RunFinished(f"The run {run_id} is {row[0]} and receives nothing more.")
        sending.execute("SELECT max(number) FROM headway_message WHERE run_id = %s", (key,))
        number = (sending.fetchone()[0] or 0) + 1
        if number > MOST_MESSAGES:
            raise InboxFull(
                f"The run {run_id} was sent {MOST_MESSAGES} messages, and takes no more."
            )
        sending.execute(
            "INSERT INTO headway_message (run_id, number, sent_at, data)"
            f" VALUES (%s, %s, {form.now}, %s)",
            (key, number, data),
        )
    return number


def messages_after(heard: Mapping[UUID, int]) -> list[Sent]:
    """The next messages to these runs after the numbers heard, in order; not all at once."""
    form = dialect()
    found: list[Sent] = []
    items = list(heard.items())
    with cursor() as reading:
        for start in range(0, len(items), _RUNS_AT_ONCE):
            some = items[start : start + _RUNS_AT_ONCE]
            each = " OR ".join(["(run_id = %s AND number > %s)"] * len(some))
            reading.execute(
                "SELECT run_id, number, data FROM headway_message"
                f" WHERE {each} ORDER BY run_id, number LIMIT %s",
                [value for run_id, last in some for value in (form.id(run_id), last)] + [_AT_ONCE],
            )
            found += [Sent(as_uuid(row[0]), row[1], row[2]) for row in reading.fetchall()]
    return found


def delete_messages(open_cursor: Any, run_keys: list[Any]) -> None:
    """With their runs."""
    open_cursor.execute(
        f"DELETE FROM headway_message WHERE run_id IN ({marks(run_keys)})", run_keys
    )
