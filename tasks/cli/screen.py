"""A block of lines on a terminal, painted again in its place."""

import shutil
import signal
import sys
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Self

from tasks.cli.output import Output

__all__ = ["Screen", "can_paint"]

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_UP, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[{}F", "\x1b[2K", "\x1b[J"


def can_paint(output: Output) -> bool:
    """Whether it is a terminal whose cursor moves."""
    if not output.is_terminal:
        return False
    try:
        import curses

        curses.setupterm(fd=sys.stdout.fileno())
        return curses.tigetstr("cuu1") is not None
    except Exception:  # without curses, or for a terminal that it does not know
        return False


class Screen:
    """While it is entered, the cursor is hidden; afterwards the last lines stay."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lines = 0

    @property
    def size(self) -> tuple[int, int]:
        """Cells and lines that can be painted; a full last line would scroll."""
        found = shutil.get_terminal_size()
        return max(found.columns - 1, 20), max(found.lines - 1, 2)

    def paint(self, lines: Sequence[str]) -> None:
        """These lines, which fit, in the place of the last ones: in one write."""
        text = _UP.format(self._lines) if self._lines else ""
        text += "".join(f"{_CLEAR_LINE}{line}\n" for line in lines)
        self._output.raw(text + _CLEAR_BELOW)
        self._lines = len(lines)

    def problem(self, text: str) -> None:
        """A line on stderr, below what is painted; the next lines are painted below it."""
        self._output.problem(text)
        self._lines = 0

    def __enter__(self) -> Self:
        # Or SIGTERM would leave a terminal without a cursor.
        self._before = signal.signal(signal.SIGTERM, _leave)
        self._output.raw(_HIDE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._output.raw(_SHOW)
        signal.signal(signal.SIGTERM, self._before)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
