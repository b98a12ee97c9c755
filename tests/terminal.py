"""A command in a terminal of its own, and what is to be seen there."""

import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Terminal"]

PATIENCE = 40.0  # seconds: a loaded machine imports Django slowly
_SEQUENCE = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])")


class Terminal:
    """A pseudo-terminal that knows what ``tasks watch`` says to one, and nothing else."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path, size: tuple[int, int]
    ) -> None:
        self._rows: list[str] = [""]
        self._row = 0
        #: Whether the cursor can be seen.
        self.cursor = True
        self._arrived = threading.Condition()
        self._master, slave = os.openpty()
        columns, lines = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            env={**env, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"},
            cwd=cwd,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def screen(self) -> list[str]:
        with self._arrived:
            return [row.rstrip() for row in self._rows if row.strip()]

    def until(self, *patterns: str) -> list[str]:
        """The screen once there is a line for each of these patterns."""
        deadline = time.monotonic() + PATIENCE
        while True:
            shown = self.screen
            if all(any(re.search(pattern, row) for row in shown) for pattern in patterns):
                return shown
            over = time.monotonic() > deadline or not self._reader.is_alive()
            assert not over, "\n".join([*patterns, "is not on the screen:", *shown])
            with self._arrived:
                self._arrived.wait(0.1)

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def wait(self) -> int:
        """Its end; what it said last has been read."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join(PATIENCE)
        os.close(self._master)

    def _read(self) -> None:
        waiting = ""
        while True:
            try:
                data = os.read(self._master, 65_536)
            except OSError:  # nobody has it open any more
                return
            waiting += data.decode(errors="replace")
            with self._arrived:
                waiting = self._take(waiting)
                self._arrived.notify_all()

    def _take(self, text: str) -> str:
        """Show it; what is left is the beginning of a sequence."""
        while text:
            if text[0] == "\x1b":
                if (found := _SEQUENCE.match(text)) is None:
                    return text
                self._obey(found[1] + found[3], int(found[2].split(";")[0] or 1))
                text = text[found.end() :]
                continue
            self._put(text[0])
            text = text[1:]
        return ""

    def _put(self, character: str) -> None:
        if character == "\n":
            self._row += 1
            if self._row == len(self._rows):
                self._rows.append("")
        elif character != "\r":
            self._rows[self._row] += character

    def _obey(self, what: str, number: int) -> None:
        match what:
            case "F":
                self._row = max(self._row - number, 0)
            case "K":
                self._rows[self._row] = ""
            case "J":
                del self._rows[self._row + 1 :]
                self._rows[self._row] = ""
            case "?h" | "?l":
                self.cursor = what == "?h"
            case "m":
                pass
            case _:
                raise AssertionError(f"unknown to this terminal: {what}")
