"""Transactions of the engine's own threads: as whole as Django's, and with its errors."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from tasks.engine.store.plain import engine_writing
from tasks.ids import new_run_id

pytestmark = pytest.mark.django_db(transaction=True)

_ADD = (
    "INSERT INTO headway_event (run_id, seq, type, at, data)"
    " VALUES (%s, %s, '%%', '2026-01-01 00:00:00', 'null')"
)
_COUNT = "SELECT count(*) FROM headway_event WHERE run_id = %s AND type = '%%'"


@pytest.fixture
def run() -> str:
    return new_run_id().hex


def count(run: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [run])
        found: int = cursor.fetchone()[0]
        return found


def add(run: str, *seqs: int, then: Exception | None = None) -> None:
    with engine_writing() as cursor:
        for seq in seqs:
            cursor.execute(_ADD, [run, seq])
        if then is not None:
            raise then


def test_all_of_it_or_nothing(run: str) -> None:
    add(run, 1)
    with pytest.raises(LookupError):
        add(run, 2, then=LookupError())
    assert count(run) == 1


def test_it_reads_what_it_has_written(run: str) -> None:
    with engine_writing() as cursor:
        cursor.executemany(_ADD, [(run, 1), (run, 2)])
        assert cursor.rowcount == 2
        cursor.execute(_COUNT, [run])
        assert cursor.fetchall()[0][0] == 2


def test_errors_are_djangos_and_leave_no_transaction(run: str) -> None:
    with pytest.raises(IntegrityError):
        add(run, 1, 1)
    with pytest.raises(DatabaseError), engine_writing() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert count(run) == 0
    add(run, 1)
    assert count(run) == 1


def test_in_a_transaction_it_is_part_of_that(run: str) -> None:
    with transaction.atomic():
        add(run, 1)
        assert count(run) == 1
        transaction.set_rollback(True)
    assert count(run) == 0
