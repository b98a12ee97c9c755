"""A PostgreSQL server from the system's programs or a wheel's."""

import functools
import os
import pwd
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from tests.processes import ROOT
from tests.services import databases
from tests.services.service import Service

__all__ = ["Postgres"]

USER = "headway"
#: Without these an operating system's crash loses data; a killed server loses nothing.
FAST = {"fsync": "off", "full_page_writes": "off"}


class Postgres(Service):
    """One cluster with a database ``headway`` and a superuser of that name, no password.

    What is committed survives :meth:`kill`. With *durable* it would survive the machine's
    crash too, and a commit costs what it costs in production. *options* are settings of
    the server. As root it runs as another user, since PostgreSQL refuses root.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": clients are disconnected
    refusals = (psycopg.OperationalError,)

    def __init__(self, *, durable: bool = False, **options: str) -> None:
        super().__init__()
        self.identity = identity()
        if self.identity:
            os.chown(self.folder, self.identity["user"], self.identity["group"])
        self._programs = self._readable(programs())
        self._options = {} if durable else FAST
        self._options = self._options | options

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/headway"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> "Postgres":
        fresh = not self.data.exists()
        if fresh:
            self._initialise()
        super().start()
        if fresh:
            databases.create(self.url, "headway")
        return self

    def command(self) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": "300",  # of several tests at once
            "shared_buffers": "64MB",
            # In the folder, so that a killed server leaves nothing in /dev/shm.
            "dynamic_shared_memory_type": "mmap",
            "log_line_prefix": "%m [%p] %a ",
            **self._options,
        }
        arguments = [item for key, value in options.items() for item in ("-c", f"{key}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self.data), *arguments]

    def ask(self) -> None:
        psycopg.connect(databases.named(self.url, "postgres"), connect_timeout=2).close()

    def _initialise(self) -> None:
        arguments = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-sync"]
        done = subprocess.run(
            [self._programs / "initdb", "-D", self.data, "--locale", "C", *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self.identity,
        )
        if done.returncode:
            raise RuntimeError(f"initdb ended with {done.returncode}\n{done.stdout}")

    def _readable(self, folder: Path) -> Path:
        """*folder*, or a copy of its installation where the server's user cannot see it."""
        if not self.identity:
            return folder
        test = ["/usr/bin/env", "test", "-x", str(folder / "postgres")]
        if subprocess.run(test, cwd="/", check=False, **self.identity).returncode == 0:
            return folder
        # A wheel's programs find their libraries beside the package.
        package = folder.parents[1]
        for part in package.parent.glob(f"{package.name}*"):
            if part.is_dir():
                shutil.copytree(part, self.folder / "installed" / part.name, symlinks=True)
        return self.folder / "installed" / folder.relative_to(package.parent)


@functools.cache
def programs() -> Path:
    """Where ``initdb`` and ``postgres`` are."""
    if named := os.environ.get("POSTGRES_BIN"):
        return Path(named)
    environment = {key: value for key, value in os.environ.items() if key != "TEST_DATABASE_URL"}
    script = [sys.executable, str(ROOT / "scripts" / "ensure_services.py"), "--find"]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Path(done.stdout.strip())


def identity() -> dict[str, Any]:
    """Arguments of Popen for a user other than root; none when this is another already."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no user 'nobody'.")
