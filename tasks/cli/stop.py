"""``tasks stop``."""

from typing import Any

from tasks.cli.ending import arguments, end
from tasks.cli.exits import Exit
from tasks.cli.output import Output
from tasks.states import CancelRequest

__all__ = ["HELP", "arguments", "run"]

HELP = "Ask runs to end: coroutines are cancelled, others are told and given time."


def run(options: dict[str, Any], output: Output) -> Exit:
    return end(CancelRequest.STOP, options, output)
