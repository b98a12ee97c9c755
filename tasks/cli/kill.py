"""``tasks kill``."""

from typing import Any

from tasks.cli.ending import arguments, end
from tasks.cli.exits import Exit
from tasks.cli.output import Output
from tasks.states import CancelRequest

__all__ = ["HELP", "arguments", "run"]

HELP = "End runs without waiting for their code."


def run(options: dict[str, Any], output: Output) -> Exit:
    return end(CancelRequest.KILL, options, output)
