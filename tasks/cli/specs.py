"""``tasks specs``: the TaskSpecs and pipelines that are found by name."""

from argparse import ArgumentParser
from typing import Any

from tasks.cli.documents import by_name
from tasks.cli.exits import Exit
from tasks.cli.output import Output

__all__ = ["HELP", "arguments", "run"]

HELP = "List the TaskSpecs and pipelines that are found by name."


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="an object a line")


def run(options: dict[str, Any], output: Output) -> Exit:
    listed = by_name()
    width = max((len(one.name) for one in listed), default=0)
    for one in listed:
        if options["json"]:
            told = {"name": one.name, "kind": one.kind, "description": one.description}
            output.json({**told, "file": str(one.file), "problem": one.problem})
        else:
            said = "not valid, see validate" if one.problem else one.description
            output.line(f"{one.name:<{width}}  {one.kind:<8}  {said}".rstrip())
    return Exit.USAGE if any(one.problem for one in listed) else Exit.DONE
