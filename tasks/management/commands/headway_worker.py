"""``manage.py headway_worker``: a process that executes runs and serves nothing."""

import asyncio
import logging
from argparse import ArgumentParser
from contextvars import Context
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from tasks.conf import conf, outrank
from tasks.engine import metrics
from tasks.engine.metrics import exposition
from tasks.engine.process.lastresort import COMMITS, LAST_RESORT, LastResort
from tasks.engine.process.signals import StopSignals
from tasks.engine.supervisor import ChildFailed, Supervisor
from tasks.settings import queues
from tasks.surroundings.notify import notify

logger = logging.getLogger("headway")


class Command(BaseCommand):
    help = (
        "Execute runs, without HTTP, until SIGTERM or SIGINT; then the runs under way have "
        "HEADWAY['GRACE'] seconds. A second signal cuts that short."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--queues",
            metavar="NAME[:LIMIT],…",
            help="take runs from these queues only, such as mail:5,reports; * stands for all"
            " others (default: HEADWAY['QUEUES'])",
        )
        parser.add_argument(
            "--concurrency",
            metavar="N",
            help="runs at once, in all queues without a limit (default: HEADWAY['CONCURRENCY'])",
        )
        parser.add_argument(
            "--once",
            action="store_true",
            help="end with code 0 when nothing more can be executed: what waits now, and what"
            " those runs enqueue. Deferred runs are left; a failed run is no failure of this",
        )
        parser.add_argument(
            "--metrics",
            metavar="HOST:PORT",
            help="answer GET /metrics there, to whoever can reach it, such as 127.0.0.1:9100",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        configure(options["queues"], options["concurrency"])
        if options["metrics"]:
            expose(options["metrics"])
        last_resort = LastResort()
        last_resort.start()
        try:
            asyncio.run(work(last_resort, once=options["once"]))
        except ChildFailed as error:
            # Threads that hang must not turn a failed process into one that lives on.
            last_resort.arm(LAST_RESORT, code=1)
            raise CommandError(f"Headway cannot go on: {error}") from error


def configure(names: str | None, concurrency: str | None) -> None:
    """What the command line says outranks the settings; :class:`CommandError` if it is wrong."""
    try:
        chosen = None if names is None else queues.parse(names)
    except ValueError as error:
        raise CommandError(f"--queues: {error}.") from None
    try:
        count = None if concurrency is None else int(concurrency)
        outrank(role="worker", queues=chosen, concurrency=count)
    except (ValueError, ImproperlyConfigured):
        raise CommandError(
            f"--concurrency must be a whole number of at least 1, not {concurrency!r}."
        ) from None


def expose(address: str) -> None:
    """Serve the process's figures at *address*; :class:`CommandError` if that cannot be."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise CommandError(f"--metrics must be HOST:PORT, such as 127.0.0.1:9100, not {address!r}.")
    if not metrics.available:
        raise CommandError("--metrics needs prometheus-client: install django-headway[metrics].")
    try:
        exposition.serve(host.strip("[]"), int(port))
    except (OSError, OverflowError) as error:
        raise CommandError(f"--metrics: {address} cannot be served: {error}") from error


async def work(last_resort: LastResort, once: bool = False) -> None:
    """Execute runs until a signal comes, or *once*; raises :class:`ChildFailed`."""
    supervisor = Supervisor()
    asked = asyncio.Event()

    def stop(_count: int) -> None:
        asked.set()
        supervisor.drain()

    signals = StopSignals(stop, last_resort)
    signals.install()
    serving = asyncio.create_task(supervisor.serve(), name="headway", context=Context())
    beside = [asyncio.create_task(announce(supervisor), name="headway opening")]
    if once:
        beside.append(asyncio.create_task(finish(supervisor, asked), name="headway once"))
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
        for task in (*beside, stopping):
            task.cancel()


async def announce(supervisor: Supervisor) -> None:
    await supervisor.ready.wait()
    logger.info("Taking runs.")
    notify("READY=1")


async def finish(supervisor: Supervisor, asked: asyncio.Event) -> None:
    """Ask it to end once nothing is left that can be executed."""
    await supervisor.exhausted.wait()
    logger.info("Nothing is left to execute.")
    if not supervisor.draining:  # a second call would cut the grace period short
        asked.set()
        supervisor.drain()
