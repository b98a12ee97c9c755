"""A server process of the suite's own: started, restarted, frozen, killed."""

import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from tests.processes import free_port
from tests.services.family import signal_family, wait_gone

__all__ = ["Service"]

START_TIMEOUT = 60.0  # seconds: recovery after a kill, on a loaded machine
STOP_TIMEOUT = 30.0  # seconds

# Ends the server and its folder when the suite dies without doing it: reading then ends.
GUARD = 'read _; kill -QUIT "$0"; sleep 1; kill -KILL "$0"; rm -rf "$1"'


class Service(ABC):
    """A server on a free port of this machine, in a temporary folder. Linux only.

    It keeps port and data through :meth:`restart` and :meth:`kill`. :meth:`close` ends it
    and removes the folder. As a context manager it is up inside the block.
    """

    name: ClassVar[str]
    #: What the server takes for an orderly end.
    stop_signal: ClassVar[int]
    #: What asking it raises while it does not answer.
    refusals: ClassVar[tuple[type[Exception], ...]]

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"headway-{self.name}-"))
        #: Arguments of Popen that choose the user it runs as.
        self.identity: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def command(self) -> list[str]:
        """The server in the foreground, logging to stderr."""

    @abstractmethod
    def ask(self) -> None:
        """Return if the server answers; raise one of :attr:`refusals` if not."""

    # Up and down

    def start(self) -> Self:
        """Start it and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in a terminal is the suite's to handle
                **self.identity,
            )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, str(self.pid), str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self.wait_for_answer()
        return self

    def stop(self) -> None:
        """End it in good order. Nothing happens if it is down."""
        self._end(self.stop_signal)

    def restart(self) -> None:
        """Stop it in good order and start it again."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """End it and all its processes at once, as a crash would; data written stays."""
        if self._process is not None:
            killed = signal_family(self.pid, signal.SIGKILL)
            self._process.wait()
            wait_gone(killed, STOP_TIMEOUT)
            self._forget()

    def close(self) -> None:
        """End it without care for its data, and remove the folder. Safe to call twice."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Frozen

    def pause(self) -> None:
        """Freeze all its processes: connections stay open, and nothing answers."""
        signal_family(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        signal_family(self.pid, signal.SIGCONT)

    # What can be seen of it

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running.")
        return self._process.pid

    @property
    def output(self) -> str:
        """Everything it has logged."""
        return (self.folder / "log").read_text(errors="replace")

    def wait_for_answer(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                return self.ask()
            except self.refusals as error:
                ended = self._process.poll()
                if ended is not None or time.monotonic() > deadline:
                    why = f"ended with {ended}" if ended is not None else f"says {error!r}"
                    raise RuntimeError(f"{self.name} {why}\n{self.output}") from error
            time.sleep(0.02)  # it has no way to tell that it answers now

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self.resume()  # a frozen one takes no signal but SIGKILL
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def _forget(self) -> None:
        self._process = None
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
            self._guard = None
