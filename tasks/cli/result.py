"""``tasks result``: what a run returned."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from tasks.cli import runs
from tasks.cli.exits import Exit, outcome
from tasks.cli.looking import timeout, wait_for
from tasks.cli.output import Output
from tasks.states import RunStatus

__all__ = ["HELP", "arguments", "report", "run"]

HELP = "Wait until a run has finished, and print the value it returned, as JSON."


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="its id")
    timeout(parser)
    parser.add_argument("--raw", action="store_true", help="a text without quotes, as it stands")
    parser.add_argument("--json", action="store_true", help="status, value, error and times")


def run(options: dict[str, Any], output: Output) -> Exit:
    [run_id] = runs.parsed([options["run"]])
    runs.found(run_id)
    return report(run_id, options, output)


def report(run_id: UUID, options: dict[str, Any], output: Output) -> Exit:
    """Wait for the end, and say it."""
    wait_for([run_id], options, output)
    found = runs.found(run_id)
    if options["json"]:
        output.json(runs.told(found))
    elif found.status != RunStatus.SUCCESSFUL:
        output.problem(f"{found.pk} {found.status}: {runs.error_line(found)}")
    elif options.get("raw") and isinstance(found.return_value, str):
        output.raw(f"{found.return_value}\n")
    else:
        output.value(found.return_value)
    return outcome(found)
