"""``tasks retry``: the same call once more, as a new run."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from tasks.cli import runs
from tasks.cli.exits import Exit, worst
from tasks.cli.output import Output
from tasks.exceptions import InvalidArguments, InvalidValue, UnknownTask
from tasks.handles import Handle

__all__ = ["HELP", "arguments", "run"]

HELP = "Enqueue the calls of finished runs again, and print the ids of the new runs."


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("runs", metavar="RUN", nargs="+", help="their ids")
    parser.add_argument("--json", action="store_true", help="an object a line: run, retry")


def run(options: dict[str, Any], output: Output) -> Exit:
    return worst([_retry(run_id, options, output) for run_id in runs.parsed(options["runs"])])


def _retry(run_id: UUID, options: dict[str, Any], output: Output) -> Exit:
    found = runs.found(run_id)
    if not found.is_finished:
        output.problem(f"{run_id} has not finished yet: it is {found.status}.")
        return Exit.REFUSED
    try:
        handle = Handle.of_run(found).retry()
    except (UnknownTask, InvalidArguments, InvalidValue) as error:
        output.problem(f"{run_id} cannot be enqueued again: {error}")
        return Exit.REFUSED
    if options["json"]:
        output.json({"run": str(run_id), "retry": handle.id})
    else:
        output.line(handle.id)
    return Exit.DONE
