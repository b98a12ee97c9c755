"""Keeping the engine's own coroutines running."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
from django.db import InterfaceError, OperationalError

from tasks.conf import conf

__all__ = ["CannotStart", "Child", "ChildFailed", "keep_running"]

logger = logging.getLogger("headway.supervisor")

_FIRST_PAUSE = 0.1  # seconds; doubles with each failure in a row
_LONGEST_PAUSE = 5.0
_FAILURES = 6  # in a row: the child will not recover by itself
_HEALTHY = 30.0  # seconds of work after which earlier failures are forgotten


class ChildFailed(Exception):
    """A part of the engine keeps failing; this process is of no use and should end."""


class CannotStart(ChildFailed):
    """Something is missing that a person has to bring; the message says what."""


@dataclass(frozen=True, slots=True)
class Child:
    """A long-lived coroutine function of the engine."""

    name: str
    serve: Callable[[], Awaitable[None]]


async def keep_running(child: Child) -> None:
    """Serve *child* for ever, again after each failure; :class:`ChildFailed` if it is for good.

    A database that cannot be reached is no failure of the child: it may take as long as
    it takes, and then everything goes on.
    """
    failures = outages = 0
    while True:
        began = time.monotonic()
        try:
            await child.serve()
            return
        except ChildFailed:
            raise
        except (OperationalError, InterfaceError) as error:
            outages += 1
            pause = _pause(outages)
            if outages == 1 or time.monotonic() - began > _HEALTHY:
                why = " ".join(str(error).split())  # libpq's reasons have several lines
                logger.warning("%s waits for the database %r: %s", child.name, conf().database, why)
        except Exception as error:
            failures = 1 if time.monotonic() - began > _HEALTHY else failures + 1
            if failures >= _FAILURES:
                raise ChildFailed(
                    f"{child.name} failed {failures} times in a row: {error!r}"
                ) from error
            pause = _pause(failures)
            logger.exception("%s failed; starting it again in %.1f s", child.name, pause)
        if time.monotonic() - began > _HEALTHY:
            outages = 0
        await anyio.sleep(pause)


def _pause(count: int) -> float:
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(count - 1, 16))
