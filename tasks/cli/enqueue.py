"""``tasks enqueue``: start a run."""

from argparse import ArgumentParser
from datetime import timedelta
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from tasks.cli.exits import Exit, failure
from tasks.cli.looking import seconds
from tasks.cli.output import Output
from tasks.cli.result import report, timeout
from tasks.cli.values import call_arguments, json_object
from tasks.cli.watch import follow
from tasks.compat import InvalidTask
from tasks.definition import registry
from tasks.exceptions import InvalidArguments, InvalidValue, UnknownTask

__all__ = ["HELP", "arguments", "run"]

HELP = "Enqueue a task and print the id of its run."


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK", help="its name, or its path as in shop.tasks.pack")
    parser.add_argument(
        "arguments",
        metavar="ARGUMENT",
        nargs="*",
        help="VALUE or NAME=VALUE; a value is JSON, @FILE with JSON, or @- for stdin",
    )
    parser.add_argument("--queue", metavar="NAME", dest="queue_name")
    parser.add_argument("--priority", metavar="N", type=int, help="-100 to 100")
    parser.add_argument("--delay", metavar="SECONDS", type=seconds, help="begin no earlier")
    parser.add_argument("--max-attempts", metavar="N", type=int)
    parser.add_argument("--metadata", metavar="JSON", help="an object")
    parser.add_argument("--unique-key", metavar="KEY", help="the run that has it, if there is one")
    parser.add_argument("--user", metavar="PK", help="whose run it is")
    parser.add_argument("--wait", action="store_true", help="then do as `result` does")
    parser.add_argument("--watch", action="store_true", help="then do as `watch` does")
    timeout(parser)
    parser.add_argument("--json", action="store_true", help="an object a line")


def run(options: dict[str, Any], output: Output) -> Exit:
    args, kwargs = call_arguments(options["arguments"])
    try:
        task = _with_options(_task(options["task"]), options)
        [handle] = task.get_backend().enqueue_many(task, [(args, kwargs)])
    except (InvalidArguments, InvalidValue, InvalidTask) as error:
        raise failure(Exit.USAGE, str(error)) from None
    run_id = UUID(handle.id)
    if options["watch"]:
        return follow([run_id], options, output)
    if options["wait"]:
        return report(run_id, options, output)
    if options["json"]:
        output.json({"id": handle.id, "task": task.module_path, "status": handle.status})
    else:
        output.line(handle.id)
    return Exit.DONE


def _task(name: str) -> Any:
    try:
        return registry.resolve(name)
    except UnknownTask as error:
        known = registry.known()
        names = [*known, *(task.registered_name for task in known.values())]
        near = get_close_matches(name, filter(None, names))
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise failure(Exit.USAGE, f"{str(error).rstrip('.')}.{hint}") from None


def _with_options(task: Any, options: dict[str, Any]) -> Any:
    names = ("queue_name", "priority", "max_attempts", "unique_key")
    given = {name: options[name] for name in names if options[name] is not None}
    if options["delay"] is not None:
        given["run_after"] = timedelta(seconds=options["delay"])
    if options["metadata"] is not None:
        given["metadata"] = {**getattr(task, "metadata", {}), **json_object(options["metadata"])}
    if options["user"] is not None:
        given["user"] = _user(options["user"])
    try:
        return task.using(**given) if given else task
    except TypeError as error:  # of Django's own tasks, which have fewer options
        raise failure(Exit.USAGE, f"{task.name} does not take this: {error}") from None


def _user(key: str) -> Any:
    from django.contrib.auth import get_user_model
    from django.core.exceptions import ValidationError

    try:
        return get_user_model()._default_manager.get(pk=key)
    except (ValueError, ValidationError, get_user_model().DoesNotExist):
        raise failure(Exit.USAGE, f"There is no user with the key {key!r}.") from None
