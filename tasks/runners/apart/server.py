"""The fork server: a helper process that forks a leader for each run, and ends what remains."""

import gc
import importlib
import logging
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any, NoReturn

from django.conf import settings
from django.db import connections

from tasks.codec import decode, encode
from tasks.conf import conf
from tasks.runners.apart import kernel
from tasks.runners.apart.leader import lead
from tasks.runners.apart.wire import Frame, Kind, frame, receive_with_files

__all__ = ["main"]

logger = logging.getLogger("headway.forkserver")

_LOOK = 1.0  # seconds between two looks whether the parent lives
_LEAVE = 3.0  # seconds to see all processes gone


def main(control: int) -> None:
    """Serve the supervisor at the other end of the socket *control* until it goes away.

    Its parent is its guardian, or where there is none, the supervisor.
    """
    parent = os.getppid()
    # It ends when the supervisor does, which both a terminal and a service manager signal.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    server = _Server(socket.socket(fileno=control), parent)
    server.prepare()
    server.serve()


class _Server:
    def __init__(self, control: socket.socket, parent: int) -> None:
        self._control = control
        self._parent = parent
        self._pid = os.getpid()
        #: Of each leader: what the supervisor calls it.
        self._leaders: dict[int, int] = {}
        self._woken, self._wake = os.pipe()

    def prepare(self) -> None:
        """Become what all runs may start from: settings, tasks imported, nothing connected."""
        if (got := receive_with_files(self._control)) is None:
            raise SystemExit(1)
        _set_up(decode(got[0].data))
        kernel.adopt_orphans()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # or each leader would say it again
        self._tell(Kind.READY)

    def serve(self) -> None:
        control = self._control.fileno()
        try:
            # A forked copy of the supervisor may keep the socket open: look at the parent too.
            while os.getppid() == self._parent:
                readable, _, _ = select.select([control, self._woken], [], [], _LOOK)
                if self._woken in readable:
                    with suppress(BlockingIOError):
                        os.read(self._woken, 4096)
                    self._reap()
                if control in readable:
                    if (got := receive_with_files(self._control)) is None:
                        break
                    self._act(*got)
        except ConnectionError:
            pass  # the supervisor is gone
        self._leave()

    def _act(self, asked: Frame, files: list[int]) -> None:
        given = decode(asked.data)
        if asked.kind is Kind.FORK:
            self._fork(given["id"], files)
        elif asked.kind is Kind.SIGNAL:
            self._signal(given["id"], given["signal"])

    def _fork(self, name: int, files: list[int]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(Kind.REFUSED, id=name, why=str(error))
            pid = -1
        if pid == 0:
            self._lead(files)
        for file in files:
            os.close(file)
        if pid > 0:
            self._leaders[pid] = name
            self._tell(Kind.FORKED, id=name, pid=pid)

    def _lead(self, files: list[int]) -> NoReturn:
        """In the child: become a leader, and never come back."""
        try:
            signal.set_wakeup_fd(-1)
            for descriptor in (self._woken, self._wake):
                os.close(descriptor)
            self._control.close()
            lead(self._pid, files)
        finally:
            os._exit(70)

    def _signal(self, name: int, number: int) -> None:
        for pid, known in self._leaders.items():
            if known == name:
                kernel.kill_group(pid, number)

    def _reap(self) -> None:
        """Report leaders that have ended, and end what they have left behind."""
        for pid, status, used in kernel.reaped(self._end_group):
            if (name := self._leaders.pop(pid, None)) is not None:
                cpu = round(used.ru_utime + used.ru_stime, 3)
                self._tell(Kind.ENDED, id=name, status=status, cpu=cpu, rss=used.ru_maxrss)
            self._end_orphans()

    def _end_group(self, pid: int) -> None:
        if pid in self._leaders:
            kernel.kill_group(pid)

    def _end_orphans(self) -> None:
        """A leader keeps what is below it until it ends: all others here have lost theirs."""
        for pid in kernel.children() - self._leaders.keys():
            with suppress(ProcessLookupError, PermissionError):  # of another user, by setuid
                os.kill(pid, signal.SIGKILL)

    def _leave(self) -> None:
        """Supervisor or guardian has gone: end everything."""
        deadline = time.monotonic() + _LEAVE
        while time.monotonic() < deadline:
            for pid in self._leaders:
                kernel.kill_group(pid)
            self._end_orphans()
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid:
                self._leaders.pop(pid, None)
            else:
                time.sleep(0.005)  # until the next of them has ended

    def _tell(self, kind: Kind, **data: Any) -> None:
        self._control.sendall(frame(kind, encode(data).encode()))


def _set_up(given: dict[str, Any]) -> None:
    """Take over what the supervisor has otherwise than the settings say, and import its tasks."""
    for alias, name in given["databases"].items():
        if alias in connections.databases:
            connections.databases[alias]["NAME"] = name
    settings.HEADWAY = getattr(settings, "HEADWAY", {}) | given["headway"]
    conf.cache_clear()
    for module in given["modules"]:
        try:
            importlib.import_module(module)
        except Exception:  # the run that needs it says so
            logger.warning("The fork server cannot import %s", module, exc_info=True)
    connections.close_all()
    if (threads := _threads()) > 1:
        logger.warning(
            "The fork server has %d threads, started by an import: what they hold, such as a"
            " lock, stays held in the processes of runs",
            threads,
        )
    # What is there already is never garbage, and looking at it would copy it for each run.
    gc.collect()
    gc.freeze()


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        import threading

        return threading.active_count()
