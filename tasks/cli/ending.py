"""What ``tasks stop`` and ``tasks kill`` have in common."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from tasks.cli import runs
from tasks.cli.exits import Exit, worst
from tasks.cli.looking import timeout, wait_for
from tasks.cli.output import Output
from tasks.engine import control
from tasks.exceptions import RunDoesNotExist
from tasks.states import CancelRequest

__all__ = ["arguments", "end"]


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("runs", metavar="RUN", nargs="+", help="their ids")
    parser.add_argument("--wait", action="store_true", help="until they have really ended")
    timeout(parser)
    parser.add_argument("--json", action="store_true", help="an object a line")


def end(request: CancelRequest, options: dict[str, Any], output: Output) -> Exit:
    run_ids = runs.parsed(options["runs"])
    codes = {run_id: _ask(run_id, request, output) for run_id in run_ids}
    asked = [run_id for run_id, code in codes.items() if code == Exit.DONE]
    if options["wait"]:
        wait_for(asked, options, output)
    for run_id in asked:
        found = runs.found(run_id)
        if options["json"]:
            output.json(runs.brief(found))
        else:
            output.line(f"{found.pk} {found.status if found.is_finished else found.stopping}")
    return worst(codes.values())


def _ask(run_id: UUID, request: CancelRequest, output: Output) -> Exit:
    try:
        accepted = control.request_cancel(run_id, request)
    except RunDoesNotExist as error:
        output.problem(error)
        return Exit.NO_SUCH_RUN
    if accepted:
        return Exit.DONE
    output.problem(f"{run_id} has finished already: it is {runs.found(run_id).status}.")
    return Exit.REFUSED
