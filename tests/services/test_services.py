"""The suite's own servers: up, frozen, restarted, killed, gone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.processes import ROOT
from tests.services import Postgres, Redis, Service, databases
from tests.services.stack import PostgresStack


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module")
def valkey() -> Iterator[Redis]:
    with Redis() as server:
        yield server


def ids(url: str) -> list[int]:
    with psycopg.connect(url) as link:
        return [row[0] for row in link.execute("SELECT id FROM kept ORDER BY id")]


@pytest.fixture
def kept(postgres: Postgres) -> Iterator[str]:
    """The URL of a database with a table and a row."""
    url = databases.create(postgres.url, "kept")
    with psycopg.connect(url) as link:
        link.execute("CREATE TABLE kept AS SELECT 1 AS id")
    yield url
    databases.drop(postgres.url, "kept")


def test_what_is_committed_survives_a_kill(postgres: Postgres, kept: str) -> None:
    link = psycopg.connect(kept, autocommit=True)
    link.execute("INSERT INTO kept VALUES (2)")
    postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        link.execute("SELECT 1")
    link.close()
    postgres.start()
    assert ids(kept) == [1, 2]


def test_a_restart_keeps_port_and_data(postgres: Postgres, kept: str) -> None:
    before = postgres.pid
    postgres.restart()
    assert postgres.pid != before
    assert ids(kept) == [1]


def test_a_frozen_postgres_goes_on_where_it_was(postgres: Postgres, kept: str) -> None:
    with psycopg.connect(kept, autocommit=True) as link:
        postgres.pause()
        try:
            # The backend is frozen as well as the one who accepts connections.
            link.pgconn.send_query(b"SELECT id FROM kept")
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(kept, connect_timeout=2)
            link.pgconn.consume_input()
            assert link.pgconn.is_busy()
        finally:
            postgres.resume()
        while result := link.pgconn.get_result():
            assert result.get_value(0, 0) == b"1"


def test_a_copy_has_the_tables(postgres: Postgres, kept: str) -> None:
    copy = databases.create(postgres.url, "copy", template="kept")
    assert ids(copy) == [1]
    databases.drop(postgres.url, "copy")
    with pytest.raises(psycopg.OperationalError):
        ids(copy)


def test_a_stack_sees_its_own_database_alone(postgres: Postgres, valkey: Redis) -> None:
    with PostgresStack(postgres.url, valkey.url, {}) as stack:
        assert stack.rows("SELECT count(*) FROM headway_run WHERE status = ?", ["READY"]) == [(0,)]
        own = stack.connections(os.getpid())
        with psycopg.connect(stack.env["DATABASE_URL"]) as link, psycopg.connect(postgres.url):
            assert stack.connections(os.getpid()) == own + 1
            assert stack.writable()
            link.execute("UPDATE headway_run SET attempt = 0")
            assert stack.writable()  # it has read, and changed nothing
            link.execute("CREATE TABLE another ()")
            assert not stack.writable()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(stack.url)


def test_redis_forgets_in_a_restart(valkey: Redis) -> None:
    with redis.Redis.from_url(valkey.unix_url) as client:
        client.set("a", 1)
        assert client.get("a") == b"1"
        valkey.restart()
        assert client.get("a") is None


def test_a_frozen_redis_goes_on(valkey: Redis) -> None:
    with redis.Redis.from_url(valkey.url, socket_timeout=0.1) as client:
        valkey.pause()
        try:
            with pytest.raises(redis.TimeoutError):
                client.ping()
        finally:
            valkey.resume()
        assert client.ping()


@pytest.mark.parametrize("kind", [Postgres, Redis])
def test_nothing_is_left(kind: type[Service]) -> None:
    with kind() as server:
        pid = server.pid
        server.pause()  # even then
    server.close()
    assert not server.folder.exists()
    assert not Path(f"/proc/{pid}").exists()


def test_a_server_ends_with_a_suite_that_dies(tmp_path: Path) -> None:
    program = (
        "import os, signal\n"
        "from tests.services import Redis\n"
        "server = Redis().start()\n"
        "print(server.folder, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    # The guard holds no end of this pipe's: the server's folder tells of its work.
    folder = Path(done.stdout.decode().strip())
    assert folder.name.startswith("headway-redis-")
    gone(folder)


def gone(folder: Path) -> None:
    """Wait until the folder is away."""
    while folder.exists():
        os.sched_yield()


def test_a_server_that_does_not_start_says_why() -> None:
    server = Postgres(shared_buffers="nonsense")
    with pytest.raises(RuntimeError, match='invalid value for parameter "shared_buffers"'):
        server.__enter__()
    assert not server.folder.exists()


def test_a_command_finds_both() -> None:
    program = "import os; print(os.environ['TEST_REDIS_URL'], os.environ['TEST_DATABASE_URL'])"
    done = subprocess.run(
        [sys.executable, "-m", "tests.services", "--", sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"TEST_DATABASE_URL": "postgres://given/one"},
        capture_output=True,
        text=True,
        check=True,
    )
    own, given = done.stdout.split()
    assert own.startswith("redis://127.0.0.1:")
    assert given == "postgres://given/one"
