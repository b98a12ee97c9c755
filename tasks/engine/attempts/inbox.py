"""Messages on their last way: from the engine to a function that waits for them."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable

from tasks.exceptions import RunCancelled

__all__ = ["Inbox"]


class Inbox:
    """What was sent to a run, in order, as far as its attempt has not taken it. Any thread.

    With *forward* it keeps nothing: that is called with each, on the loop.
    """

    def __init__(self, forward: Callable[[str], None] | None = None) -> None:
        #: Number of the newest message that is here or was taken.
        self.heard = 0
        self._forward = forward
        self._texts: deque[str] = deque()
        self._changed = threading.Condition()
        self._ending = False
        self._waiting: list[Callable[[], object]] = []

    def put(self, number: int, text: str) -> None:
        """Take a message in, once: a number that was here before is no news."""
        if number <= self.heard:
            return
        self.heard = number
        if self._forward is not None:
            self._forward(text)
            return
        with self._changed:
            self._texts.append(text)
            self._tell()

    def interrupt(self) -> None:
        """The attempt has been asked to end: a thread that waits is told."""
        with self._changed:
            self._ending = True
            self._tell()

    def get_blocking(self, timeout: float | None) -> str:
        """The next message; ``TimeoutError``, or :class:`RunCancelled` when it is to end."""
        with self._changed:
            there = self._changed.wait_for(lambda: self._texts or self._ending, timeout)
            if self._texts:
                return self._texts.popleft()
        if there:
            raise RunCancelled
        raise TimeoutError(f"Nothing was sent to the run in {timeout:g} seconds.")

    async def get(self, timeout: float | None) -> str:
        """:meth:`get_blocking` for a coroutine, which is cancelled when it is to end."""
        async with asyncio.timeout(timeout):
            while True:
                with self._changed:
                    if self._texts:
                        return self._texts.popleft()
                    news = self._news()
                await news.wait()

    def _news(self) -> asyncio.Event:
        news, loop = asyncio.Event(), asyncio.get_running_loop()
        self._waiting.append(lambda: loop.call_soon_threadsafe(news.set))
        return news

    def _tell(self) -> None:
        self._changed.notify_all()
        for tell in self._waiting:
            tell()
        self._waiting.clear()
