"""PostgreSQL and Redis as live servers stand on them: the counterpart of ``SqliteStack``."""

import functools
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import psycopg

from tests.processes import ROOT, environment, manage
from tests.services import databases

__all__ = ["PostgresStack"]


class PostgresStack:
    """A database of its own on a given server, migrated or empty, and a given Redis.

    As a context manager it drops the database at its end. *variables* are those that
    decide which tables there are, such as ``HEADWAY_APPS``.
    """

    def __init__(
        self, server: str, redis: str, variables: Mapping[str, str], *, empty: bool = False
    ) -> None:
        self._server = server
        self._name = f"live_{secrets.token_hex(4)}"
        template = "template1" if empty else migrated(server, tuple(variables.items()))
        self.url = databases.create(server, self._name, template)
        self.env: Mapping[str, str] = {"DATABASE_URL": self.url, "REDIS_URL": redis}
        self._link = psycopg.connect(self.url, autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._link.close()
        databases.drop(self._server, self._name)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query gives; parameters are ``?``."""
        return self._link.execute(sql.replace("?", "%s").encode(), parameters).fetchall()

    def key(self, run_id: str) -> str:
        return run_id

    def writable(self) -> bool:
        """Whether no process is inside a transaction."""
        return not self.rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL"
        )

    def connections(self, pid: int) -> int:
        """How many connections to the database a process holds."""
        ports = set(_client_ports(pid))
        return sum(
            port in ports
            for (port,) in self.rows(
                "SELECT client_port FROM pg_stat_activity WHERE datname = current_database()"
            )
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else can write a run, and whoever tries waits."""
        with psycopg.connect(self.url) as connection:
            connection.execute("LOCK TABLE headway_run IN EXCLUSIVE MODE")
            yield


@functools.cache
def migrated(server: str, variables: tuple[tuple[str, str], ...]) -> str:
    """The name of a database with the service's tables, made once a session; a template."""
    name = f"migrated_{secrets.token_hex(4)}"
    url = databases.create(server, name)
    folder = Path(os.environ.get("TMPDIR", "/tmp"))
    env = environment(folder) | dict(variables) | {"DATABASE_URL": url, "SECRET_KEY": "migrating"}
    manage(env, "migrate", "--no-input", "--verbosity", "0", python=sys.executable, cwd=ROOT)
    return name


def _client_ports(pid: int) -> Iterator[int]:
    """The local ports of a process's TCP connections, from /proc."""
    sockets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            sockets.add(os.readlink(entry))
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if f"socket:[{fields[9]}]" in sockets:
            yield int(fields[1].rpartition(":")[2], 16)
