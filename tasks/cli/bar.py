"""A run as one line of ``tasks watch``: name, bar, and how it goes."""

from datetime import datetime
from unicodedata import combining, east_asian_width

from tasks.cli.output import printable
from tasks.cli.progress import Progress, duration
from tasks.cli.runs import error_line
from tasks.models import TaskRun
from tasks.states import RunStatus

__all__ = ["bar_line", "cut", "short_name"]

_WIDTH = 24  # cells of a bar
_NARROW = 80  # cells: less leaves no room for it
_BLOCKS = "█", "░"
_PLAIN = "#", "-"


def bar_line(
    run: TaskRun, now: datetime, *, names: int, width: int, frame: int, fine: bool = True
) -> str:
    """At most *width* cells. *names*: cells of the name. *frame* moves a bar without a total."""
    full, empty = _BLOCKS if fine else _PLAIN
    cells = _WIDTH if width >= _NARROW else 10
    progress = Progress.of(run.progress)
    name = cut(short_name(run), names)
    parts = [
        name + " " * (names - _cells(name)),
        "…" * fine + str(run.pk)[-8:],
        _bar(run, progress, cells, frame).replace("#", full).replace("-", empty),
        f"{progress.percent:>4}",
        *_words(run, progress, now),
    ]
    return cut("  ".join(filter(None, parts)), width)


def short_name(run: TaskRun) -> str:
    return printable(run.task.rpartition(".")[2])


def _bar(run: TaskRun, progress: Progress, cells: int, frame: int) -> str:
    if run.status == RunStatus.SUCCESSFUL:
        return "#" * cells
    if progress.fraction is not None:
        done = int(progress.fraction * cells)
        return "#" * done + "-" * (cells - done)
    if run.status != RunStatus.RUNNING:
        return "-" * cells
    start = frame % cells  # somewhere on its way, and round again
    return "".join("#" if (cell - start) % cells < 3 else "-" for cell in range(cells))


def _words(run: TaskRun, progress: Progress, now: datetime) -> list[str]:
    began = run.started_at or run.enqueued_at
    took = duration(((run.finished_at or now) - began).total_seconds())
    if run.is_finished:
        return [run.status, took, printable(error_line(run))]
    if run.status == RunStatus.READY:
        again = f"try {run.attempt + 1}" if run.attempt else ""
        return ["waiting", again, printable(error_line(run))]
    left = f"{duration(progress.eta)} left" if progress.eta is not None else took
    asked = "stop ignored" if run.stop_ignored else run.stopping and f"asked to {run.stopping}"
    return [asked or "", progress.count, left, printable(progress.message)]


def cut(text: str, width: int) -> str:
    """The beginning of *text* that fits *width* cells; it says that it was cut."""
    if _cells(text) <= width:
        return text
    kept = ""
    for character in text:
        if _cells(kept + character) >= width:
            break
        kept += character
    return f"{kept}…"[:width]


def _cells(text: str) -> int:
    """Columns of a terminal: a Chinese character takes two, an accent that combines none."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
