"""``tasks watch``: runs as they go on, with bars on a terminal and lines in a pipe."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tasks.cli import filters, runs
from tasks.cli.bar import bar_line, short_name
from tasks.cli.exits import Exit, failure, outcome, worst
from tasks.cli.looking import looks, timeout
from tasks.cli.output import Output
from tasks.cli.progress import Progress
from tasks.cli.screen import Screen, can_paint
from tasks.engine import store
from tasks.models import TaskRun
from tasks.states import RunStatus

__all__ = ["HELP", "arguments", "follow", "run"]

HELP = "Watch runs until they have finished; without ids, all that have not. Ctrl-C ends no run."

_PAUSE = 0.2  # seconds: an eye sees no more of a bar
_LINES = 1.0  # seconds between two lines about the same run, where its state does not change
_NAME = 24  # cells

_STYLES = {
    RunStatus.SUCCESSFUL: "SUCCESS",
    RunStatus.FAILED: "ERROR",
    RunStatus.CANCELLED: "WARNING",
}

Runs = dict[UUID, TaskRun]


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("runs", metavar="RUN", nargs="*", help="their ids")
    filters.arguments(parser)
    timeout(parser)
    parser.add_argument("--plain", action="store_true", help="lines, on a terminal too")
    parser.add_argument("--json", action="store_true", help="an object a line, for each change")


def run(options: dict[str, Any], output: Output) -> Exit:
    if options["runs"]:
        run_ids = runs.parsed(options["runs"])
        known = store.outlines(run_ids)
        for run_id in run_ids:
            if run_id not in known:
                raise failure(Exit.NO_SUCH_RUN, f"There is no run {run_id}.")
    else:
        wanted = filters.wanted(options)
        run_ids = store.newest_ids(wanted, lambda found: found, options["limit"])[::-1]
        if not run_ids:
            output.problem("Nothing runs or waits.")
    return follow(run_ids, options, output)


def follow(run_ids: Sequence[UUID], options: dict[str, Any], output: Output) -> Exit:
    """Until all of them have finished."""
    if options["json"] or options.get("plain") or not can_paint(output):
        last = _tell(_states(run_ids, options, output.problem), options["json"], output)
    else:
        with Screen(output) as screen:
            last = _paint(_states(run_ids, options, screen.problem), screen, output)
    gone = [Exit.NO_SUCH_RUN] if len(last) < len(run_ids) else []
    return worst([*gone, *map(outcome, last.values())])


def _states(
    run_ids: Sequence[UUID], options: dict[str, Any], say: Callable[[str], None]
) -> Iterator[Runs]:
    """The runs again and again, in their order, and a last time when all have finished."""
    for tried in looks(_PAUSE, options, say):
        with tried:
            found = store.outlines(run_ids)
        if tried.lasts:
            continue
        known = {run_id: found[run_id] for run_id in run_ids if run_id in found}
        yield known
        if all(run.is_finished for run in known.values()):
            return


def _paint(states: Iterator[Runs], screen: Screen, output: Output) -> Runs:
    known: Runs = {}
    fine = output.holds("█░…")
    for frame, known in enumerate(states):
        width, height = screen.size
        shown = _fitting(list(known.values()), height)
        names = max((min(len(short_name(run)), _NAME) for run in shown), default=0)
        now = datetime.now(UTC)
        lines = []
        for run in shown:
            line = bar_line(run, now, names=names, width=width, frame=frame, fine=fine)
            lines.append(output.styled(line, _STYLES.get(RunStatus(run.status), "")))
        if hidden := len(known) - len(shown):
            lines.append(f"and {hidden} more")
        screen.paint(lines)
    return known


def _fitting(known: list[TaskRun], height: int) -> list[TaskRun]:
    """As many as the screen has lines for, those first that go on."""
    if len(known) <= height:
        return known
    chosen = sorted(known, key=lambda run: run.is_finished)[: height - 1]
    return [run for run in known if run in chosen]


def _tell(states: Iterator[Runs], as_json: bool, output: Output) -> Runs:
    known: Runs = {}
    told: dict[UUID, tuple[Any, float]] = {}
    for number, known in enumerate(states):
        now = number * _PAUSE
        for run_id, found in known.items():
            state = (found.status, found.stopping, found.stop_ignored, found.attempt)
            before, at = told.get(run_id, (None, 0.0))
            moved = before is not None and before[0] == state and before[1] != found.progress
            if before is None or before[0] != state or (moved and now - at >= _LINES):
                told[run_id] = (state, found.progress), now
                output.json(runs.brief(found)) if as_json else output.line(_line(found))
    return known


def _line(found: TaskRun) -> str:
    progress = Progress.of(found.progress)
    words = runs.error_line(found) if found.is_finished else progress.message
    status = found.stopping or found.status
    parts = (str(found.pk), f"{status:<10}", progress.percent, progress.count, words)
    return "  ".join(filter(None, parts))
