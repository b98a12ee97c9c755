"""Reaching the process's workforce from anywhere: wake it, and ask runs to end."""

from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.attempts.endings import cancelled_while_waiting
from tasks.engine.news import tidings, waiting, wakers
from tasks.engine.news.wakers import News
from tasks.engine.pipelines.conductor import conduct
from tasks.events import encode_data
from tasks.states import TERMINAL, CancelRequest, RunStatus

if TYPE_CHECKING:
    from tasks.engine.workforce import Workforce

__all__ = [
    "attach",
    "detach",
    "end_stage",
    "listen",
    "request_cancel",
    "running",
    "send",
    "wake",
]

_workforce: "Workforce | None" = None


def attach(workforce: "Workforce") -> None:
    """Make *workforce* the one of this process."""
    global _workforce
    _workforce = workforce


def detach(workforce: "Workforce") -> None:
    global _workforce
    if _workforce is workforce:
        _workforce = None


def running() -> "Workforce | None":
    """What executes runs in this process, if anything does."""
    return _workforce


def wake() -> None:
    """Tell this process, and others, that there are runs to claim. Any thread."""
    if _workforce is not None:
        _workforce.call(partial(_workforce.hear, News.RUN))
        _workforce.call(tidings.tell)
    wakers.announce(News.RUN)


def listen() -> None:
    """An attempt of this process waits for messages now. Any thread."""
    if _workforce is not None:
        _workforce.call(partial(_workforce.hear, News.MESSAGE))


def send(run_id: UUID, data: object) -> int:
    """Store a message to a run, and tell who executes it. Any thread that may query.

    Gives its number. In a transaction it is sent when that commits.
    """
    number = store.send(run_id, encode_data("message", data, conf().event_bytes))
    transaction.on_commit(_tell_of_messages, using=conf().database)
    return number


def _tell_of_messages() -> None:
    listen()
    wakers.announce(News.MESSAGE)


def request_cancel(run_id: UUID, request: CancelRequest) -> bool:
    """Ask a run to end; False if it has ended already. Any thread that may query.

    A waiting run ends here and now. A running one is asked at once if this process
    executes it; another process is told, and looks every half second for what it missed.
    A pipeline passes it on to its stages.
    """
    status = _ask(run_id, request)
    if status not in TERMINAL:

        def pass_on() -> None:  # no partial: Django wants to name it when it fails
            _pass_on(run_id, status)

        transaction.on_commit(pass_on, using=conf().database, robust=True)
    return status not in TERMINAL


def end_stage(run_id: UUID, request: CancelRequest) -> bool:
    """:func:`request_cancel` for a stage, by its pipeline; whether it has ended now."""
    return _ask(run_id, request) != RunStatus.RUNNING


def _pass_on(run_id: UUID, status: RunStatus) -> None:
    """Let the pipeline know that *run_id* is, or that it is a stage of."""
    concerned = {run_id} if status == RunStatus.RUNNING else store.owners([run_id])
    for pipeline in concerned:
        conduct(pipeline)


def _ask(run_id: UUID, request: CancelRequest) -> RunStatus:
    """Ask a run to end; its status before that."""
    status, write = store.cancel(run_id, request, cancelled_while_waiting)
    if write is not None:
        waiting.notify(run_id)
    if (workforce := _workforce) is not None:
        if write is not None:
            workforce.call(partial(workforce.announce, write))
        elif status == RunStatus.RUNNING:
            workforce.call(partial(workforce.cancel, run_id, request))
    if status == RunStatus.RUNNING:
        tell = partial(wakers.announce, News.CANCEL)
        transaction.on_commit(tell, using=conf().database)
    return status
