"""``tasks list``: the newest runs, and those that change."""

from argparse import ArgumentParser
from typing import Any

from tasks.cli import filters, looking, runs
from tasks.cli.exits import Exit
from tasks.cli.output import Output
from tasks.cli.progress import Progress
from tasks.conf import conf
from tasks.engine import store
from tasks.models import TaskRun
from tasks.states import RunStatus

__all__ = ["HELP", "arguments", "run"]

HELP = "List runs, the newest last; with --follow, each again when its state changes."

_STYLES = {RunStatus.SUCCESSFUL: "SUCCESS", RunStatus.FAILED: "ERROR", RunStatus.RUNNING: "NOTICE"}
_ROW = "{:<36}  {:<10}  {:<5}  {:<12}  {:<19}  {:<10}  {}"


def arguments(parser: ArgumentParser) -> None:
    filters.arguments(parser)
    parser.add_argument(
        "--status",
        action="append",
        default=[],
        type=str.upper,
        choices=RunStatus.values,
        help="in this state",
    )
    parser.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
    looking.arguments(parser)
    parser.add_argument("--json", action="store_true", help="an object a line")


def run(options: dict[str, Any], output: Output) -> Exit:
    wanted = filters.wanted(options)
    seen = store.horizon()
    newest = store.newest_ids(wanted, lambda found: found, options["limit"])
    known = store.outlines(newest)
    if not options["json"] and (known or options["follow"]):
        output.line(_ROW.format("ID", "STATUS", "TRY", "PROGRESS", "ENQUEUED", "QUEUE", "TASK"))
    for run_id in reversed(newest):
        if run_id in known:
            _show(known[run_id], options, output)
    if options["follow"]:
        _follow(wanted, seen, options, output)
    return Exit.DONE


def _follow(
    wanted: store.Wanted, seen: store.Horizon, options: dict[str, Any], output: Output
) -> None:
    for tried in looking.looks(min(conf().poll, 0.5), options, output.problem):
        with tried:
            now = store.horizon()
            changed = store.changed_ids(wanted, lambda found: found, seen, now)
            for found in store.outlines(changed).values():
                # What has changed since this look belongs to the next.
                if now.sees(found.changed) and wanted.touches(found):
                    _show(found, options, output)
            seen = now


def _show(found: TaskRun, options: dict[str, Any], output: Output) -> None:
    if options["json"]:
        output.json(runs.brief(found))
        return
    row = _ROW.format(
        str(found.pk),
        found.stopping or found.status,
        f"{found.attempt}/{found.max_attempts}",
        Progress.of(found.progress).short,
        runs.when(found.enqueued_at),
        found.queue_name,
        found.task,
    )
    output.line(row, _STYLES.get(RunStatus(found.status), ""))
