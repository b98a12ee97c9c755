"""``manage.py tasks``: look at runs, start them and end them, from a terminal or a script."""

import os
import sys
from argparse import SUPPRESS, ArgumentParser
from importlib import import_module
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError

from tasks.cli.exits import Exit, failure
from tasks.cli.output import Output
from tasks.engine.process.threads import use_own_connection

_SUBCOMMANDS = (
    *("list", "show", "watch", "enqueue", "result"),
    *("stop", "kill", "retry", "send", "specs", "validate", "prune"),
)


class Command(BaseCommand):
    help = "Look at runs, start them and end them. `tasks SUBCOMMAND --help` tells of each."
    # They have been made when the service started; a terminal is to be quick.
    requires_system_checks = ()
    _alone = False  # in a process of its own

    def add_arguments(self, parser: ArgumentParser) -> None:
        chosen = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
        for name in _SUBCOMMANDS:
            module = import_module(f"tasks.cli.{name}")
            below = chosen.add_parser(name, help=module.HELP, description=module.HELP)
            module.arguments(below)
            _repeat_base(below)

    def run_from_argv(self, argv: list[str]) -> None:
        self._alone = True
        super().run_from_argv(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        if self._alone:
            # One connection is all it needs, and a pool says by itself that one is lost.
            use_own_connection()
        output = Output(self.stdout, self.stderr, self.style)
        code = import_module(f"tasks.cli.{options['subcommand']}").run(options, output)
        if code:
            raise SystemExit(int(code))

    def execute(self, *args: Any, **options: Any) -> Any:
        """As Django's; without a traceback for what is no fault of the code."""
        try:
            result = super().execute(*args, **options)
            self.stdout.flush()
            return result
        except KeyboardInterrupt:
            raise SystemExit(int(Exit.INTERRUPTED)) from None
        except BrokenPipeError:
            _discard_output()
            raise SystemExit(int(Exit.PIPE_CLOSED)) from None
        except (DatabaseError, InterfaceError) as error:
            raise failure(Exit.ERROR, f"The database says: {error}".rstrip()) from error
        except ImproperlyConfigured as error:
            raise failure(Exit.ERROR, str(error)) from error


def _repeat_base(parser: ArgumentParser) -> None:
    """Django's options, also where people write them: at the end of the line."""
    for flag in ("--settings", "--pythonpath"):
        parser.add_argument(flag, help=SUPPRESS, default=SUPPRESS)
    for flag in ("--traceback", "--no-color", "--force-color"):
        parser.add_argument(flag, help=SUPPRESS, default=SUPPRESS, action="store_true")


def _discard_output() -> None:
    """Or the interpreter would complain once more, when it flushes at its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return  # it has no file behind it
