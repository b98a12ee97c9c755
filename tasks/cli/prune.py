"""``tasks prune``: what ``headway_prune`` does."""

from typing import Any

from django.core.management.base import CommandError

from tasks.cli.exits import Exit, failure
from tasks.cli.output import Output
from tasks.management.commands import headway_prune

__all__ = ["HELP", "arguments", "run"]

HELP = headway_prune.Command.help

_command = headway_prune.Command()
arguments = _command.add_arguments


def run(options: dict[str, Any], output: Output) -> Exit:
    try:
        output.line(_command.prune(options))
    except CommandError as error:
        raise failure(Exit.USAGE, str(error)) from None
    return Exit.DONE
