"""A supervisor inside a test."""

import asyncio
import threading
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from tasks.conf import conf
from tasks.engine.news import waiting
from tasks.engine.supervisor import Supervisor

__all__ = ["running_supervisor"]


class running_supervisor(
    AbstractAsyncContextManager[Supervisor], AbstractContextManager[Supervisor]
):
    """Execute runs in this process while the block lasts; at its end, drain.

    ``async with running_supervisor():`` in an async test, on the test's loop; ``with
    running_supervisor():`` in a sync one, on a loop of its own in a thread. The test needs
    commits that other threads can see: Django's ``TransactionTestCase``, or
    ``@pytest.mark.django_db(transaction=True)``, and a database on a file or a server.
    *options* are those of :class:`Supervisor`.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Supervisor:
        # In the thread whose connection the test's own queries use.
        await sync_to_async(_check_database)()
        self._supervisor = Supervisor(**self._options)
        self._serving = asyncio.create_task(self._supervisor.serve())
        ready = asyncio.create_task(self._supervisor.ready.wait())
        try:
            await asyncio.wait({self._serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.__aexit__()
            raise
        finally:
            ready.cancel()
        if self._serving.done():
            await self._serving
        return self._supervisor

    async def __aexit__(self, *_: object) -> None:
        if not self._supervisor.draining:  # a second call would cut the grace period short
            self._supervisor.drain()
        try:
            await self._serving
        finally:
            waiting.rest()

    def __enter__(self) -> Supervisor:
        _check_database()
        self._began = threading.Event()
        self._thread = threading.Thread(target=self._run, name="headway-test-supervisor")
        self._thread.start()
        self._began.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self._supervisor

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._began.set()

    async def _serve(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        async with self:
            self._began.set()
            ending = asyncio.create_task(self._ending.wait())
            with suppress(asyncio.CancelledError):
                await asyncio.wait({ending, self._serving}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()


def _check_database() -> None:
    """Runs that this test enqueues can be seen by the engine's own connections."""
    connection = connections[conf().database]
    if connection.in_atomic_block:
        raise ImproperlyConfigured(
            "The test is in a transaction that is never committed, so no run of it can begin: use"
            " TransactionTestCase, or @pytest.mark.django_db(transaction=True)."
        )
    if connection.vendor == "sqlite" and connection.is_in_memory_db():  # type: ignore[attr-defined]
        raise ImproperlyConfigured(
            "The test's SQLite database is in memory, where threads lock each other out: name a"
            ' file, as in DATABASES["default"]["TEST"] = {"NAME": BASE_DIR / "test.sqlite3"}.'
        )
