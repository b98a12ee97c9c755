"""The shipped units, started as systemd would: their own command lines and environment.

What a unit promises systemd is asked of it: a service of ``Type=notify`` is up when it
says so, and has as long as the unit gives it. Of the sandbox nothing is tried here.
"""

import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.processes import ROOT, environment, free_port

__all__ = ["ListeningSocket", "Unit", "UnitProcess", "seconds"]

FOLDER = ROOT / "deploy" / "systemd"
PYTHON = "/opt/headway/bin/python"  # as the units call it
STATE = "/var/lib/headway"

# systemd's protocol, sd_listen_fds(3): descriptor 3, and the process that it is meant for.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": sys.argv[2]}
os.execv(sys.argv[3], sys.argv[3:])
"""


class Unit:
    """A unit file: what it says, by section and key."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._said: dict[tuple[str, str], list[str]] = defaultdict(list)
        section = ""
        for line in (FOLDER / name).read_text().splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif line and not line.startswith("#"):
                key, _, value = line.partition("=")
                self._said[section, key].append(value)

    def all(self, section: str, key: str) -> list[str]:
        return list(self._said[section, key])

    def one(self, section: str, key: str) -> str:
        (value,) = self._said[section, key]
        return value

    def environment(self) -> dict[str, str]:
        words = [word for line in self.all("Service", "Environment") for word in shlex.split(line)]
        return dict(word.split("=", 1) for word in words)


def seconds(text: str) -> float:
    """A time span as the units write it: a number of seconds."""
    return float(text)


class ListeningSocket:
    """``headway-web.socket`` on a free port: it listens for as long as the block lasts."""

    def __init__(self) -> None:
        self.unit = Unit("headway-web.socket")
        self.port = free_port()
        host, _, _ = self.unit.one("Socket", "ListenStream").rpartition(":")
        self._socket = socket.create_server(
            (host, self.port), backlog=int(self.unit.one("Socket", "Backlog"))
        )

    def fileno(self) -> int:
        return self._socket.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()


class UnitProcess:
    """An instance of a template unit, one process at a time.

    *folder* takes the place of its state directory; *env* is what ``/etc/headway.env`` says.
    *listening* is the socket of a unit that has ``Sockets=``.
    """

    def __init__(
        self,
        template: str,
        instance: str,
        folder: Path,
        env: Mapping[str, str],
        listening: ListeningSocket | None = None,
    ) -> None:
        self.unit = Unit(template)
        self.name = template.replace("@", f"@{instance}")
        self._folder = folder
        self._listening = listening
        self._log = folder / f"{self.name}.log"
        # In the abstract namespace: a path may have no more than 108 characters.
        self._notices = f"headway-{self.name}-{secrets.token_hex(8)}"
        unit = self.unit.environment()
        said = {name: value.replace(STATE, str(folder)) for name, value in unit.items()}
        own = {"PYTHONPATH": str(ROOT), "NOTIFY_SOCKET": f"@{self._notices}"}
        # As in systemd the file wins over the unit.
        self.env = environment(folder) | said | dict(env) | own
        self._process: subprocess.Popen[bytes] | None = None

    # Up and down

    def start(self) -> Self:
        """Start it, and wait until it has said that it is ready."""
        assert self.unit.one("Service", "Type") == "notify"
        self._folder.mkdir(parents=True, exist_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.bind(f"\0{self._notices}")
            notices.settimeout(seconds(self.unit.one("Service", "TimeoutStartSec")))
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self.command(),
                    cwd=self._folder,
                    env=self.env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=() if self._listening is None else (self._listening.fileno(),),
                )
            try:
                said = notices.recv(4096).decode()
            except TimeoutError:
                raise AssertionError(f"{self.name} is not ready\n{self.output}") from None
            assert said == "READY=1", said
        return self

    def command(self) -> list[str]:
        line = self.unit.one("Service", "ExecStart")
        words = [sys.executable if word == PYTHON else word for word in shlex.split(line)]
        if self._listening is None:
            return words
        socket_unit = self._listening.unit
        assert self.unit.all("Service", "Sockets") == [socket_unit.name]
        fd = str(self._listening.fileno())
        return [sys.executable, "-c", ACTIVATE, fd, socket_unit.name, *words]

    def stop(self) -> int:
        """Stop it within the time that the unit gives it; its return code."""
        self.terminate()
        return self.wait()

    def restart(self) -> None:
        """``systemctl restart``: it returns when the new process is ready."""
        assert self.stop() == 0, self.output
        self.start()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        limit = seconds(self.unit.one("Service", "TimeoutStopSec"))
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} runs after {limit} s\n{self.output}") from None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    # What can be seen of it

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")
