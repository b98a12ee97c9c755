"""A child of the supervisor in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial

from django.db import connections

from tasks.engine.process.loops import call_on
from tasks.engine.process.threads import see_off, use_own_connection

__all__ = ["ThreadedChild"]


class ThreadedChild:
    """A child of the supervisor that works in a thread of its own, whatever the loop does."""

    #: Of the thread.
    name = "child"

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def serve(self) -> None:
        """Have :meth:`watch` run in a daemon thread until cancelled; raises what it raises."""
        ending = threading.Event()
        ended: asyncio.Future[None] = self._loop.create_future()
        thread = threading.Thread(
            target=self._run, args=(ending, ended), name=f"headway-{self.name}", daemon=True
        )
        thread.start()
        try:
            await ended
        finally:
            ending.set()
            self.interrupt()
            see_off(thread)

    def interrupt(self) -> None:
        """Have :meth:`watch` look at *ending* now, where it waits for something else."""

    def watch(self, ending: threading.Event) -> None:
        """The work, in the thread, until *ending* is set."""
        raise NotImplementedError

    def tell(self, callback: Callable[[], object]) -> None:
        """Have *callback* called on the loop."""
        call_on(self._loop, callback)

    def _run(self, ending: threading.Event, ended: "asyncio.Future[None]") -> None:
        try:
            use_own_connection()
            self.watch(ending)
        except BaseException as error:
            self.tell(partial(_fail, ended, error))
        finally:
            connections.close_all()


def _fail(ended: "asyncio.Future[None]", error: BaseException) -> None:
    if not ended.done():
        ended.set_exception(error)
