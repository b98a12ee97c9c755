"""For the tests of projects that use Headway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tasks.engine.supervisor import Supervisor

__all__ = ["running_supervisor"]


@asynccontextmanager
async def running_supervisor(**options: Any) -> AsyncIterator[Supervisor]:
    """Execute runs in this process while the block lasts; at its end, drain.

    The test needs a database whose commits other threads can see: Django's
    ``TransactionTestCase``, or ``@pytest.mark.django_db(transaction=True)``, on a file.
    *options* are those of :class:`Supervisor`.
    """
    supervisor = Supervisor(**options)
    serving = asyncio.create_task(supervisor.serve())
    try:
        ready = asyncio.create_task(supervisor.ready.wait())
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if serving.done():
            await serving
        yield supervisor
    finally:
        if not supervisor.draining:  # a second call would cut the grace period short
            supervisor.drain()
        await serving
