"""What live processes are made of: a port, an environment, a migrated database, their usage."""

import atexit
import contextlib
import functools
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["ROOT", "Usage", "environment", "free_port", "manage", "migrated", "usage"]

ROOT = Path(__file__).resolve().parent.parent


class Usage(NamedTuple):
    """What a process holds and has used, from /proc."""

    threads: int
    files: int
    rss: int  # bytes
    cpu: float  # seconds, user and system


def free_port() -> int:
    """A port no one listens on, outside the range the system takes client ports from.

    A client that keeps connecting to a stopped server's port inside that range
    connects to itself sooner or later, and the server cannot have its port back. Nor one
    that browsers refuse to talk to (WHATWG Fetch, "port blocking"): the highest is 10080.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_081, min(lowest, 32_000))
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def usage(pid: int) -> Usage:
    base = Path("/proc") / str(pid)
    status = dict(
        line.split(":", 1) for line in (base / "status").read_text().splitlines() if ":" in line
    )
    # The command in parentheses may hold spaces; utime and stime are fields 14 and 15.
    times = (base / "stat").read_text().rpartition(")")[2].split()[11:13]
    return Usage(
        threads=int(status["Threads"]),
        files=len(list((base / "fd").iterdir())),
        rss=int(status["VmRSS"].split()[0]) * 1024,
        cpu=sum(map(int, times)) / os.sysconf("SC_CLK_TCK"),
    )


def environment(folder: Path, settings: str = "asgi_app.settings") -> dict[str, str]:
    """The environment of a live process: the machine's paths and nothing of the suite's."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "DJANGO_SETTINGS_MODULE": settings,
        "HEADWAY_DATA": str(folder),
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
    }


def manage(env: Mapping[str, str], *arguments: str, python: str, cwd: Path) -> str:
    done = subprocess.run(
        [python, "manage.py", *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"manage.py {' '.join(arguments)}: {done.returncode}\n{done.stdout}")
    return done.stdout


@functools.cache
def migrated(
    variables: tuple[tuple[str, str], ...], python: str = sys.executable, cwd: Path = ROOT
) -> Path:
    """A SQLite file with the service's tables, made once a session for each choice of variables."""
    folder = Path(tempfile.mkdtemp(prefix="headway-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    env = environment(folder) | dict(variables)
    manage(env, "migrate", "--no-input", "--verbosity", "0", python=python, cwd=cwd)
    return folder / "db.sqlite3"
