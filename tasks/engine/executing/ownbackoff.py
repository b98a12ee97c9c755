"""How long a run waits for its next attempt, where its task says so itself."""

import inspect
import logging
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread
from django.db import close_old_connections
from django.utils.module_loading import import_string

from tasks.definition import registry
from tasks.engine.attempts.attempt import Attempt
from tasks.handles import get_handle

__all__ = ["own_delay"]

logger = logging.getLogger("headway.executor")

_PATIENCE = 10.0  # seconds that a function may take to answer
_LONGEST = timedelta(days=365).total_seconds()  # what every database can add to a moment

_unbounded = anyio.CapacityLimiter(math.inf)


async def own_delay(attempt: Attempt, error: BaseException) -> float | None:
    """Seconds, as the task's ``backoff`` says; None: as the settings say.

    It is asked in a thread, and given the run as it stands in the database. What it raises
    is logged, and nothing else: the run goes on as if it had none.
    """
    try:
        function = getattr(registry.resolve(attempt.claim.task), "backoff", None)
        if function is None:
            return None
        with anyio.move_on_after(_PATIENCE) as attempt.scope:
            return _seconds(await _ask(function, error, attempt.claim.run_id))
        if attempt.cause is None:
            raise TimeoutError(f"The backoff has not answered for {_PATIENCE:g} seconds.")
    except Exception:
        logger.exception("The backoff of %r failed", attempt, extra=attempt.origin.extra)
    return None


async def _ask(function: Callable[..., Any] | str, error: BaseException, run_id: UUID) -> Any:
    answer = await anyio.to_thread.run_sync(
        _call, function, error, run_id, abandon_on_cancel=True, limiter=_unbounded
    )
    return await answer if inspect.isawaitable(answer) else answer


def _call(function: Callable[..., Any] | str, error: BaseException, run_id: UUID) -> Any:
    close_old_connections()
    try:
        ask = import_string(function) if isinstance(function, str) else function
        return ask(error, get_handle(run_id))
    finally:
        close_old_connections()


def _seconds(answer: Any) -> float | None:
    if isinstance(answer, timedelta):
        answer = answer.total_seconds()
    if answer is None:
        return None
    if isinstance(answer, int | float) and answer >= 0:
        return min(float(answer), _LONGEST)
    raise TypeError(f"A backoff gives seconds from 0, a timedelta or None, not {answer!r}.")
