"""One run's life, as a list of steps: start, perform, settle."""

import asyncio
import logging
import math
from functools import partial

import anyio

from tasks.codec import decode, encode
from tasks.context import Context, SyncContext
from tasks.definition import registry
from tasks.definition.options import Options, is_async
from tasks.engine.attempts import tracing
from tasks.engine.attempts.attempt import Attempt, Cause
from tasks.engine.attempts.endings import End, Rests, cancelled
from tasks.engine.executing.ownbackoff import own_delay
from tasks.engine.executing.serial import SerialThreads
from tasks.engine.pipelines import conductor
from tasks.engine.writing.journal import Journal
from tasks.exceptions import TaskTimeout
from tasks.logs import current_run
from tasks.runners import Call, Encoded, runner_for
from tasks.runners.apart.client import ForkServer
from tasks.states import Ending
from tasks.surroundings import circumstances

__all__ = ["Executor"]

logger = logging.getLogger("headway.executor")


class Executor:
    """Executes attempts. Nothing a task does reaches its siblings or the engine."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._threads = SerialThreads()
        self._server = ForkServer()

    async def execute(self, attempt: Attempt) -> None:
        """Perform *attempt* and write its end; raises only when the supervisor itself ends.

        To be called in an asyncio task of its own, whose context is the attempt's.
        """
        conductor.follow(attempt)
        current_run.set(attempt.origin)
        circumstances.restore(attempt.circumstances)
        with tracing.begin(attempt) as trace:
            end = await self._perform(attempt)
            end = await self._deliberate(attempt, end)
            trace.ended(end)
            await self._settle(attempt, end)

    async def _deliberate(self, attempt: Attempt, end: End | None) -> End | None:
        """Let the task say when it is tried again. Asked to end meanwhile, it is not."""
        claim = attempt.claim
        if end is None or end.error is None or claim.attempt >= claim.max_attempts:
            return end
        if end.ending in (Ending.RAISED, Ending.TIMED_OUT):
            end.delay = await own_delay(attempt, end.error)
            if attempt.cause in (Cause.STOP, Cause.KILL, Cause.LOST):
                return _ended_by(attempt, attempt.cause)
        return end

    async def _settle(self, attempt: Attempt, end: End | None) -> None:
        if end is None:
            return  # the run is another process's: there is nothing to write
        if end.ending in (Ending.RAISED, Ending.TIMED_OUT):
            logger.error("%r %s", attempt, end.ending, exc_info=end.error)
        with anyio.CancelScope(shield=True):
            self._journal.settle(attempt, end)
            await attempt.settled

    def close(self) -> None:
        self._threads.close()
        self._server.close()

    async def _perform(self, attempt: Attempt) -> End | None:
        end: End | None = None
        with anyio.CancelScope() as scope:
            attempt.scope = scope
            if not attempt.ending:  # else its function would run up to its first pause
                end = await self._call(attempt, scope)
        if attempt.cause is None and attempt.expired:
            # However it ended, another process may have begun it by now.
            logger.warning(
                "%r has lost its lease and is ended here", attempt, extra=attempt.origin.extra
            )
            self._journal.abandon(attempt)
        if attempt.cause is not None:
            return _ended_by(attempt, attempt.cause)
        if end is None:  # the only cancellation without a cause is the deadline's
            attempt.cancel(Cause.TIMEOUT)
            return _timed_out(attempt)
        return end

    async def _call(self, attempt: Attempt, scope: anyio.CancelScope) -> End | None:
        try:
            call = self._prepared(attempt, scope)
            async with self._threads.lend():
                value = await runner_for(call)(call)
                call.over()
            if isinstance(value, Rests):
                return End(Ending.RESTING, value=encode(value.data))
            text = value.text if isinstance(value, Encoded) else encode(value)
            return End(Ending.RETURNED, value=text)
        except asyncio.CancelledError as error:
            if anyio.current_effective_deadline() == -math.inf:
                raise  # this scope is cancelled, or one around it
            # The function raised it by itself, or awaited something that was cancelled.
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            return End(Ending.RAISED, error=error)
        except BaseException as error:
            if scope.cancel_called and attempt.cause is None:
                return None
            # A SystemExit or KeyboardInterrupt of a task's is a failure of the task.
            return End(Ending.RAISED, error=error)

    def _prepared(self, attempt: Attempt, scope: anyio.CancelScope) -> Call:
        claim = attempt.claim
        task = registry.resolve(claim.task)
        options = Options.stored(claim.options)
        if options.runner in (None, "auto"):  # enqueued by a release that knew no others
            options = options.resolved(task.func)
        attempt.cooperative = options.runner == "thread"
        context = (Context if is_async(task.func) else SyncContext)(attempt, self._journal)
        apart = options.runner == "process"  # its arguments are for that process to decode
        args = () if apart else tuple(decode(claim.args))
        if task.takes_context:
            args = (context, *args)
        return Call(
            task.func,
            args,
            {} if apart else decode(claim.kwargs),
            context,
            options,
            begin=partial(_set_deadline, scope, claim.timeout),
            over=partial(_set_deadline, scope, None),
            server=self._server,
        )


def _set_deadline(scope: anyio.CancelScope, timeout: float | None) -> None:
    """Only the function's own time counts, and not that in which a process starts or ends."""
    scope.deadline = math.inf if timeout is None else anyio.current_time() + timeout


def _ended_by(attempt: Attempt, cause: Cause) -> End | None:
    match cause:
        case Cause.STOP | Cause.KILL:
            return cancelled(cause)
        case Cause.DRAIN:
            return End(Ending.DRAINED)
        case Cause.TIMEOUT:
            return _timed_out(attempt)
        case Cause.LOST:
            return None


def _timed_out(attempt: Attempt) -> End:
    seconds = attempt.claim.timeout
    return End(
        Ending.TIMED_OUT, error=TaskTimeout(f"The attempt took longer than {seconds:g} seconds.")
    )
