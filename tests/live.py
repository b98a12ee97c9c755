"""Real server processes for the tests: started, watched by their output, signalled, restarted."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from tests.processes import ROOT, Usage, environment, free_port, manage, migrated, usage

__all__ = ["LiveServer", "Server"]

START_TIMEOUT = 30.0  # seconds: a loaded machine imports Django slowly
LINE_TIMEOUT = 20.0  # seconds

Server = Literal["daphne", "uvicorn", "runserver", "worker"]

# What each prints once it accepts connections (the worker: once it takes runs).
LISTENING: dict[Server, str] = {
    "daphne": r"Listening on TCP address",
    "uvicorn": r"Uvicorn running on",
    "runserver": r"Listening on TCP address",
    "worker": r"Taking runs",
}


class LiveServer:
    """One server at a time, on one port and one data folder.

    *folder* keeps the database and the secret key between restarts. *env* is added to
    a small environment that has nothing of the test run's own settings. With *migrate*, the
    first start begins with a migrated ``db.sqlite3`` in the folder.
    """

    def __init__(
        self,
        folder: Path,
        env: Mapping[str, str] | None = None,
        *,
        server: Server = "daphne",
        application: str = "asgi_app.asgi:application",
        settings: str = "asgi_app.settings",
        arguments: tuple[str, ...] = (),
        python: str = sys.executable,
        cwd: Path = ROOT,
        migrate: bool = True,
        stack: Any = None,
    ) -> None:
        self.folder = folder
        #: What it stands on, where a test wants to look there.
        self.stack = stack
        self.server = server
        self.application = application
        self.arguments = arguments
        self.python = python
        self.cwd = cwd
        self._migrate = migrate and "DATABASE_URL" not in (env or {})
        self.port = free_port()
        self.env = environment(folder, settings) | dict(env or {})
        #: Output of the current process, line by line, stdout and stderr together.
        self.lines: list[str] = []
        self._arrived = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    # Up and down

    def start(self, *, wait: bool = True) -> Self:
        """Start it and, unless told otherwise, wait until it answers a request.

        A server listens a moment before its signal handlers are set; one that answers
        has them.
        """
        if self._migrate and not (self.folder / "db.sqlite3").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            names = ("DJANGO_SETTINGS_MODULE", "HEADWAY_APPS", "PYTHONPATH")
            chosen = tuple((name, self.env[name]) for name in names if name in self.env)
            shutil.copy(migrated(chosen, self.python, self.cwd), self.folder / "db.sqlite3")
        self.lines = []
        self._process = process = subprocess.Popen(
            self.command(),
            cwd=self.cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(process, self.lines), daemon=True)
        self._reader.start()
        if wait:
            self.wait_line(LISTENING[self.server], START_TIMEOUT)
            if self.server != "worker":
                self._ask()
        return self

    def command(self) -> list[str]:
        host, port = "127.0.0.1", str(self.port)
        match self.server:
            case "daphne":
                rest = ["-m", "daphne", "-b", host, "-p", port, *self.arguments, self.application]
            case "uvicorn":
                rest = ["-m", "uvicorn", "--host", host, "--port", port, *self.arguments]
                rest.append(self.application)
            case "runserver":
                rest = ["manage.py", "runserver", f"{host}:{port}", *self.arguments]
            case "worker":
                rest = ["manage.py", "headway_worker", *self.arguments]
        return [self.python, *rest]

    def restart(self) -> Self:
        """Start again on the same port and folder; the old process must have ended."""
        self.wait()
        return self.start()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def terminate(self) -> None:
        self.signal(signal.SIGTERM)

    def interrupt(self) -> None:
        self.signal(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL, and wait for the end: nothing of the process is left to run."""
        self.signal(signal.SIGKILL)
        self.wait()

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def wait(self, timeout: float = 30.0) -> int:
        """Wait for the process to end and all its output to be read; its return code."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s\n{self.output}") from None
        if self._reader is not None:
            self._reader.join(5.0)
        return code

    def close(self) -> None:
        """End the process and everything that it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # What can be seen of it

    @property
    def process(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("The server has not been started.")
        return self._process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_line(
        self, pattern: str, timeout: float = LINE_TIMEOUT, *, after: int = 0
    ) -> re.Match[str]:
        """The first line of the current process that matches, waiting for it.

        The first *after* lines are not looked at.
        """
        deadline = time.monotonic() + timeout
        seen = after
        with self._arrived:
            while True:
                for line in self.lines[seen:]:
                    if found := re.search(pattern, line):
                        return found
                seen = len(self.lines)
                ended = self._reader is not None and not self._reader.is_alive()
                left = deadline - time.monotonic()
                if ended or left <= 0:
                    why = f"it ended with {self.process.poll()}" if ended else f"in {timeout} s"
                    raise AssertionError(f"no line matches {pattern!r}: {why}\n{self.output}")
                # A reader that ends without a line gives no notice, hence the short waits.
                self._arrived.wait(min(left, 0.2))

    def usage(self) -> Usage:
        return usage(self.process.pid)

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py`` on the same data and settings; its output."""
        return manage(self.env, *arguments, python=self.python, cwd=self.cwd)

    def _ask(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), START_TIMEOUT) as connection:
            connection.sendall(b"GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n")
            connection.recv(1)

    def _read(self, process: subprocess.Popen[str], lines: list[str]) -> None:
        assert process.stdout is not None
        with process.stdout as stream:
            for line in stream:
                with self._arrived:
                    lines.append(line.rstrip("\n"))
                    self._arrived.notify_all()
