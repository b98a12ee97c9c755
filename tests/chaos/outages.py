"""Servers of one test's own, for the test to break."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.services.stack import PostgresStack

__all__ = ["Breakable", "breakable"]


class Breakable(PostgresStack):
    """A stack that knows its servers, and is itself not put off by what happens to them."""

    def __init__(self, postgres: Postgres, redis: Redis, variables: dict[str, str]) -> None:
        super().__init__(postgres.url, redis.url, variables)
        self.postgres = postgres
        self.redis = redis

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        while True:
            try:
                return super().rows(sql, parameters)
            except psycopg.OperationalError:
                self._link.close()
                self.postgres.wait_for_answer()
                self._link = psycopg.connect(self.url, autocommit=True)


@contextmanager
def breakable(service: str) -> Iterator[Breakable]:
    with (
        Postgres() as postgres,
        Redis() as redis,
        Breakable(postgres, redis, {"HEADWAY_APPS": service}) as stack,
    ):
        yield stack
