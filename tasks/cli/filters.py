"""Which runs a subcommand is about, where they are not named by their ids."""

from argparse import ArgumentParser
from typing import Any

from tasks.cli.exits import Exit, failure
from tasks.codec import decode
from tasks.definition import registry
from tasks.engine.store import Wanted
from tasks.exceptions import UnknownTask
from tasks.states import RunStatus

__all__ = ["arguments", "limit", "wanted"]

_UNFINISHED = (str(RunStatus.READY), str(RunStatus.RUNNING))


def arguments(parser: ArgumentParser) -> None:
    """Each may be given several times: any of them."""
    parser.add_argument("--task", metavar="NAME", action="append", default=[], help="of this task")
    parser.add_argument("--queue", metavar="NAME", action="append", default=[], help="its queue")
    parser.add_argument(
        "--meta", metavar="NAME=VALUE", action="append", default=[], help="in its metadata"
    )
    limit(parser)


def limit(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--limit", metavar="N", type=int, default=50, help="the newest so many (default: 50)"
    )


def wanted(options: dict[str, Any]) -> Wanted:
    """Of the command line; by ``--status``, or those that have not finished."""
    if options["limit"] < 1:
        raise failure(Exit.USAGE, "--limit must be a whole number from 1.")
    statuses = options.get("status", _UNFINISHED)
    return Wanted(
        tasks=tuple(map(_path, options["task"])),
        queues=tuple(options["queue"]),
        statuses=tuple(status.upper() for status in statuses),
        metadata=_metadata(options["meta"]),
    )


def _path(name: str) -> str:
    try:
        return registry.find(name).module_path
    except UnknownTask:
        return name  # its code may be gone; its runs are not


def _metadata(given: list[str]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    found: dict[str, list[Any]] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not (name and equals):
            raise failure(Exit.USAGE, f"--meta is NAME=VALUE, not {one!r}.")
        found.setdefault(name, []).extend(_readings(value))
    return tuple((name, tuple(values)) for name, values in found.items())


def _readings(text: str) -> list[Any]:
    """As a text, and as another JSON scalar if it is one."""
    try:
        value = decode(text)
    except ValueError:
        return [text]
    return [text, value] if isinstance(value, bool | int | float) else [text]
