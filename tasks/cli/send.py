"""``tasks send``: a message to a run."""

from argparse import ArgumentParser
from typing import Any

from tasks.cli import runs
from tasks.cli.exits import Exit, failure
from tasks.cli.output import Output
from tasks.cli.values import json_value
from tasks.engine import control
from tasks.exceptions import InboxFull, InvalidValue, RunDoesNotExist, RunFinished

__all__ = ["HELP", "arguments", "run"]

HELP = "Send a value to a run, which has it from context.receive()."


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="its id")
    parser.add_argument("data", metavar="DATA", help="JSON, @FILE with JSON, or @- for stdin")


def run(options: dict[str, Any], output: Output) -> Exit:
    [run_id] = runs.parsed([options["run"]])
    try:
        control.send(run_id, json_value(options["data"]))
    except RunDoesNotExist as error:
        raise failure(Exit.NO_SUCH_RUN, str(error)) from None
    except InvalidValue as error:
        raise failure(Exit.USAGE, str(error)) from None
    except (RunFinished, InboxFull) as error:
        raise failure(Exit.REFUSED, str(error)) from None
    return Exit.DONE
