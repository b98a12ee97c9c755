"""A result for whoever asks: with ``await`` on an event loop, without it elsewhere."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from functools import cache, cached_property
from typing import Any, TypeVar

from asgiref.sync import sync_to_async

from tasks.engine.process.threads import DatabaseThread

__all__ = ["Answer", "on_a_loop"]

T = TypeVar("T")


def on_a_loop() -> bool:
    """Whether the caller is a coroutine, or called by one: it must not query."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Answer(Coroutine[Any, Any, T]):
    """What *ask* gives, which may query.

    In sync code it has been asked when this is there. On an event loop it is asked when
    awaited. It is a coroutine to ``asyncio.run`` and to ``create_task``.
    """

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._running: Coroutine[Any, Any, T] | None = None
        if not on_a_loop():
            _ = self.value

    @cached_property
    def value(self) -> T:
        """The result. On an event loop ``await`` instead: this holds it up for a query."""
        return _thread().submit(self._ask).result() if on_a_loop() else self._ask()

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return f"<Answer: {self.__dict__.get('value', 'await it')!r}>"

    def __await__(self) -> Generator[Any, Any, T]:
        return self._get().__await__()

    def send(self, value: Any) -> Any:
        self._running = self._running or self._get()
        return self._running.send(value)

    def throw(self, *error: Any) -> Any:
        self._running = self._running or self._get()
        return self._running.throw(*error)

    def close(self) -> None:
        if self._running is not None:
            self._running.close()

    async def _get(self) -> T:
        if "value" not in self.__dict__:
            self.__dict__["value"] = await sync_to_async(self._ask)()
        return self.value


@cache
def _thread() -> DatabaseThread:
    return DatabaseThread("headway-coordinator")
