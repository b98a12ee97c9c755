"""A task's function in a leader: performed here, told of there."""

import asyncio
import socket
import sys
from typing import Any
from uuid import UUID

from django.db import connections

from tasks.codec import decode, encode
from tasks.context import Context, SyncContext
from tasks.definition import registry
from tasks.definition.options import Options, is_async
from tasks.engine import control
from tasks.engine.attempts.endings import described
from tasks.engine.process.loops import call_on
from tasks.engine.store import Claim
from tasks.events import new_event
from tasks.exceptions import LimitExceeded, RunCancelled
from tasks.logs import current_run, name_worker
from tasks.runners.apart import limits, surroundings
from tasks.runners.apart.voice import FarAttempt, FarJournal, Line
from tasks.runners.apart.wire import Frame, Kind
from tasks.runners.contract import Call
from tasks.runners.coroutine import run_coroutine
from tasks.runners.thread import call_sync
from tasks.surroundings.circumstances import restore

__all__ = ["perform", "request"]


def request(claim: Claim) -> bytes:
    """What the supervisor sends: the claim, as far as its function can tell.

    Three lines, as JSON has no line feed: arguments may be large, and are not encoded again.
    """
    kept = {
        "run": str(claim.run_id),
        "task": claim.task,
        "queue_name": claim.queue_name,
        "priority": claim.priority,
        "attempt": claim.attempt,
        "max_attempts": claim.max_attempts,
        "timeout": claim.timeout,
        "trace": dict(claim.trace),
        "options": claim.options,
        "context": claim.context,
        "worker": decode(claim.started.data)["worker"],
    }
    return "\n".join((encode(kept), claim.args, claim.kwargs)).encode()


def _claim(given: dict[str, Any], args: str, kwargs: str) -> Claim:
    names = ("task", "queue_name", "priority", "attempt", "max_attempts")
    return Claim(
        UUID(given["run"]),
        args=args,
        kwargs=kwargs,
        **{name: given[name] for name in names},
        fence=0,
        timeout=given["timeout"],
        cancel_requested="",
        waited=0.0,
        started=new_event(0, "started", None),
        trace=given["trace"],
        options=given["options"],
        context=given["context"],
    )


def perform(channel: socket.socket, given: dict[str, Any], args: str, kwargs: str) -> None:
    """Do what the request says, and tell how it ended."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    claim = _claim(given, args, kwargs)
    line = Line(channel)
    name_worker(given["worker"])
    attempt = FarAttempt(claim, line)
    current_run.set(attempt.origin)
    restore(attempt.circumstances)
    options = Options.stored(claim.options)
    try:
        value = encode(_Performance(attempt, line).value(options))
    except BaseException as error:
        if isinstance(error, MemoryError) and options.memory_mb is not None:
            limits.make_room()
            error = _beyond(options.memory_mb, error)
        line.send(Kind.RAISED, encode(described(error)).encode())
    else:
        line.send(Kind.RETURNED, value.encode())
    connections.close_all()


def _beyond(megabytes: int, error: MemoryError) -> LimitExceeded:
    named = LimitExceeded(f"The task needed more memory than memory_mb={megabytes} allows.")
    named.__cause__ = error
    return named


class _Performance:
    def __init__(self, attempt: FarAttempt, line: Line) -> None:
        self._claim = attempt.claim
        self._line = line
        self._attempt = attempt
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    def value(self, options: Options) -> Any:
        """What the function returns."""
        surroundings.enter(options)
        call = self._call()
        self._line.listen(self._hear)
        limits.limit(options, keep=True)
        if not is_async(call.function):
            self._line.send(Kind.BEGUN)
            return call_sync(call)
        return asyncio.run(self._main(call))

    def _call(self) -> Call:
        task = registry.resolve(self._claim.task)
        journal: Any = FarJournal(self._line)
        control.attach(journal)
        attempt: Any = self._attempt
        context = (Context if is_async(task.func) else SyncContext)(attempt, journal)
        args = tuple(decode(self._claim.args))
        if task.takes_context:
            args = (context, *args)
        return Call(task.func, args, decode(self._claim.kwargs), context)

    async def _main(self, call: Call) -> Any:
        self._task, self._loop = asyncio.current_task(), asyncio.get_running_loop()
        self._line.send(Kind.BEGUN)
        if self._attempt.ending:
            raise RunCancelled
        return await run_coroutine(call)

    def _hear(self, got: Frame) -> None:
        """In the thread that listens."""
        if got.kind is Kind.MESSAGE and self._attempt.inbox is not None:
            inbox = self._attempt.inbox
            inbox.put(inbox.heard + 1, got.data.decode())
        if got.kind is Kind.STOP:
            self._attempt.end()
            if self._loop is not None and self._task is not None:
                call_on(self._loop, self._task.cancel)
