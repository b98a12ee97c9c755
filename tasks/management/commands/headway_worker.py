"""``manage.py headway_worker``: a process that executes runs and serves nothing."""

import asyncio
import logging
from contextvars import Context
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tasks.conf import conf
from tasks.engine.lastresort import COMMITS, LAST_RESORT, LastResort
from tasks.engine.signals import StopSignals
from tasks.engine.supervisor import ChildFailed, Supervisor

logger = logging.getLogger("headway")


class Command(BaseCommand):
    help = (
        "Execute runs, without HTTP, until SIGTERM or SIGINT; then the runs under way have "
        "HEADWAY['GRACE'] seconds. A second signal cuts that short."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        last_resort = LastResort()
        last_resort.start()
        try:
            asyncio.run(work(last_resort))
        except ChildFailed as error:
            # Threads that hang must not turn a failed process into one that lives on.
            last_resort.arm(LAST_RESORT, code=1)
            raise CommandError(f"Headway cannot go on: {error}") from error


async def work(last_resort: LastResort) -> None:
    """Execute runs until a signal comes; raises :class:`ChildFailed`."""
    supervisor = Supervisor()
    asked = asyncio.Event()

    def stop(_count: int) -> None:
        asked.set()
        supervisor.drain()

    signals = StopSignals(stop, last_resort)
    signals.install()
    serving = asyncio.create_task(supervisor.serve(), name="headway", context=Context())
    opening = asyncio.create_task(announce(supervisor), name="headway opening")
    stopping = asyncio.create_task(asked.wait(), name="headway stopping")
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        done, _ = await asyncio.wait({serving}, timeout=conf().grace + COMMITS)
        if not done:
            logger.error("The supervisor has not ended in time; leases tell what it left.")
            serving.cancel()
        else:
            serving.result()
    finally:
        opening.cancel()
        stopping.cancel()


async def announce(supervisor: Supervisor) -> None:
    await supervisor.ready.wait()
    logger.info("Taking runs.")
