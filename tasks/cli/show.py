"""``tasks show``: all that is known of a run."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from tasks.cli import looking, runs
from tasks.cli.exits import Exit
from tasks.cli.output import Output
from tasks.codec import decode
from tasks.conf import conf
from tasks.engine import store
from tasks.events import Event
from tasks.states import TERMINAL

__all__ = ["HELP", "arguments", "run"]

HELP = "Show a run: state, arguments, value, errors; or its events."
_PAGE = 500  # events


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="its id")
    parser.add_argument("--events", action="store_true", help="its events instead")
    parser.add_argument("--follow", action="store_true", help="--events until it has finished")
    parser.add_argument("--after", metavar="SEQ", type=int, default=0, help="--events behind it")
    looking.arguments(parser)
    parser.add_argument("--json", action="store_true", help="an object a line")


def run(options: dict[str, Any], output: Output) -> Exit:
    [run_id] = runs.parsed([options["run"]])
    found = runs.found(run_id)
    if options["events"] or options["follow"]:
        _show_events(run_id, options, output)
    elif options["json"]:
        output.json(runs.told(found))
    else:
        _show(runs.told(found), output)
    return Exit.DONE


def _show(told: dict[str, Any], output: Output) -> None:
    errors = told.pop("errors")
    for name, value in told.items():
        if value is not None and value != {} and value != []:
            shown = value if isinstance(value, str) else _short(value)
            output.line(f"{name:<14}{shown}")
    for number, error in enumerate(errors, 1):
        output.line()
        output.line(f"error {number}: {error['type']}: {error['message']}", "ERROR")
        for line in str(error["traceback"]).splitlines():
            output.line(f"  {line}")


def _short(value: Any) -> str:
    text = str(runs.compact(value))
    return text if len(text) <= 2000 else f"{text[:2000]}… ({len(text)} characters; --json)"


def _show_events(run_id: UUID, options: dict[str, Any], output: Output) -> None:
    after = options["after"]
    for tried in looking.looks(min(conf().poll, 0.25), options, output.problem):
        with tried:
            # Before the events: those that come meanwhile are read by the next look.
            head = store.heads([run_id]).get(run_id)
            while events := store.read_events(run_id, after, _PAGE):
                for event in events:
                    _show_event(event, options["json"], output)
                after = events[-1].seq
            if not options["follow"] or head is None or head.status in TERMINAL:
                return


def _show_event(event: Event, as_json: bool, output: Output) -> None:
    if as_json:
        at = runs.moment(event.at)
        output.json({"seq": event.seq, "type": event.type, "at": at, "data": decode(event.data)})
    else:
        output.line(f"{event.seq:>5}  {runs.when(event.at)}  {event.type:<10}  {event.data}")
