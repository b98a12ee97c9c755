"""What live servers stand on, and fixtures for tests that break them."""

import os
import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import pytest

from tests.ledger import Ledger
from tests.live import LiveServer
from tests.services import running
from tests.services.stack import PostgresStack

__all__ = [
    "Serve",
    "Show",
    "SqliteStack",
    "Stack",
    "ledger",
    "rng",
    "serve",
    "servers",
    "show",
    "stack",
    "standing",
]

SERVICE = "tests.chaos.service"


class Stack(Protocol):
    """A database and a Channels layer, shared by the servers of one test."""

    #: What tells a server of them.
    env: Mapping[str, str]

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query gives, read past every server; parameters are ``?``."""

    def key(self, run_id: str) -> Any:
        """A run's id as a parameter."""

    def writable(self) -> bool:
        """Whether no process is inside a transaction that keeps others from writing."""

    def connections(self, pid: int) -> int:
        """How many connections to the database a process holds."""

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else can write a run, and whoever tries waits."""


class SqliteStack:
    """SQLite and the in-memory layer: several processes share the file and not the layer."""

    def __init__(self, folder: Path) -> None:
        self.env: Mapping[str, str] = {}
        self._path = folder / "db.sqlite3"

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._path, timeout=20)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def key(self, run_id: str) -> str:
        return UUID(run_id).hex

    def writable(self) -> bool:
        with closing(sqlite3.connect(self._path, timeout=0)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.rollback()
            return True

    def connections(self, pid: int) -> int:
        # Each has the write-ahead log open. The database itself may be open more often: a
        # connection that is closed leaves its descriptor to the next one while others have
        # locks (sqlite.org/src, os_unix.c on POSIX advisory locks).
        return list(_open_files(pid)).count(f"{self._path}-wal")

    @contextmanager
    def locked(self) -> Iterator[None]:
        with closing(sqlite3.connect(self._path, timeout=20)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield


def _open_files(pid: int) -> Iterator[str]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            yield os.readlink(entry)


Serve = Callable[..., LiveServer]
Show = Callable[[str], None]


@pytest.fixture(scope="session")
def servers() -> Iterator[Mapping[str, str]]:
    """PostgreSQL and Redis for tests of live servers, by the names of their variables."""
    with running() as urls:
        yield urls


@contextmanager
def standing(folder: Path, variables: Mapping[str, str], *, empty: bool = False) -> Iterator[Stack]:
    """What servers stand on: the same as the suite itself.

    *variables* decide which tables there are, such as ``HEADWAY_APPS``. An *empty*
    PostgreSQL has no tables; a SQLite file gets them from the first server to start.
    """
    if database := os.environ.get("TEST_DATABASE_URL"):
        redis = os.environ["TEST_REDIS_URL"]
        with PostgresStack(database, redis, variables, empty=empty) as made:
            yield made
    else:
        yield SqliteStack(folder)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with standing(tmp_path / "data", {"HEADWAY_APPS": SERVICE}) as made:
        yield made


@pytest.fixture
def ledger(stack: Stack) -> Ledger:
    return Ledger(stack)


@pytest.fixture
def serve(live: Serve, stack: Stack) -> Iterator[Serve]:
    """Makes servers with the service's tasks; ``HEADWAY`` keys in small letters.

    None is started yet; all are ended with the test. Whatever is done to one, it or the
    next process in its place has nothing to complain of, unless it *complains* by right.
    """
    content: list[LiveServer] = []

    def make(
        *,
        server: str = "daphne",
        authz: str | None = "everybody",
        complains: bool = False,
        **keys: Any,
    ) -> LiveServer:
        env = {"HEADWAY_APPS": SERVICE, "HEADWAY_POLL": "0.1", **stack.env}
        if authz:
            env["HEADWAY_AUTHZ"] = f"{SERVICE}.authz.{authz}"
        env |= {f"HEADWAY_{key.upper()}": str(value) for key, value in keys.items()}
        made = live(env, server=server)
        if not complains:
            content.append(made)
        return made

    yield make
    for one in content:
        assert "Traceback" not in one.output, one.output


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Show:
    """Says a line at the end of the session: figures belong to the result.

    By way of the report: a process that runs some of the tests has no terminal.
    """
    return partial(record_property, "shown")


@pytest.fixture
def rng(show: Show) -> random.Random:
    """What chance decides by; ``HEADWAY_SEED`` repeats it."""
    seed = int(os.environ.get("HEADWAY_SEED") or random.randrange(2**32))
    show(f"seed {seed}")
    return random.Random(seed)
