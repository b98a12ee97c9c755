"""Fixtures about who is connected to the suite's database."""

from collections.abc import Iterator

import pytest
from asgiref.sync import SyncToAsync
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

__all__ = ["django_db_setup"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The suite's database, which can be dropped although threads hold connections to it."""
    yield
    # The thread that sync code outside of requests shares ends with the interpreter: too late for
    # its connections, of which newer Pythons then complain, at times while pytest still listens.
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
