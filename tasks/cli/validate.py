"""``tasks validate``: what is wrong with TaskSpecs and pipelines."""

from argparse import ArgumentParser
from typing import Any

from tasks.cli.documents import by_name, found
from tasks.cli.exits import Exit, failure
from tasks.cli.output import Output
from tasks.exceptions import SpecNotFound

__all__ = ["HELP", "arguments", "run"]

HELP = "Say what is wrong with TaskSpecs and pipelines: all that are found by name, or these."


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("references", metavar="FILE", nargs="*", help="or a folder, or a name")
    parser.add_argument("--json", action="store_true", help="an object a line")


def run(options: dict[str, Any], output: Output) -> Exit:
    try:
        checked = [found(one) for one in options["references"]] or by_name()
    except SpecNotFound as error:
        raise failure(Exit.USAGE, str(error)) from None
    for one in checked:
        if options["json"]:
            told = {"name": one.name, "kind": one.kind, "file": str(one.file)}
            output.json({**told, "valid": one.problem is None, "problem": one.problem})
        elif one.problem is None:
            output.line(f"{one.name}: a valid {one.kind}")
        else:
            output.problem(f"{one.name}: {one.problem}")
    return Exit.USAGE if any(one.problem for one in checked) else Exit.DONE
