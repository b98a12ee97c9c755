"""A waker that needs a thread of its own."""

import asyncio
import threading
from collections.abc import Callable

from tasks.engine.threads import see_off

__all__ = ["ThreadedWaker"]


class ThreadedWaker:
    """Runs :meth:`watch` in a daemon thread for as long as :meth:`serve` is served."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._loop = asyncio.get_running_loop()

    async def serve(self) -> None:
        """Serve until cancelled; raises what :meth:`watch` raises."""
        ending = threading.Event()
        ended: asyncio.Future[None] = self._loop.create_future()
        thread = threading.Thread(
            target=self._run, args=(ending, ended), name=type(self).__module__, daemon=True
        )
        thread.start()
        try:
            await ended
        finally:
            ending.set()
            see_off(thread)

    def watch(self, ending: threading.Event) -> None:
        """Call :meth:`stir` whenever there is something new, until *ending* is set."""
        raise NotImplementedError

    def stir(self) -> None:
        self._tell(self._wake)

    def _run(self, ending: threading.Event, ended: "asyncio.Future[None]") -> None:
        try:
            self.watch(ending)
        except BaseException as error:
            failure = error
            self._tell(lambda: ended.done() or ended.set_exception(failure))  # type: ignore[func-returns-value]

    def _tell(self, callback: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:
            return  # the loop is closed, and with it everyone who could hear
