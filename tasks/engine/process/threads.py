"""A thread that talks to the database: one connection, one call after another."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple, ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, connections

from tasks.conf import conf
from tasks.engine.process.loops import call_on

__all__ = ["DatabaseThread", "see_off", "use_own_connection"]

_FAREWELL = 0.2  # seconds: a connection is closed in one of them, unless the server hangs


def see_off(thread: threading.Thread) -> None:
    """Wait a moment for a thread that has been told to end and closes its connection.

    An interpreter that begins to exit while another thread closes a SQLite connection
    crashes: the closing calls back into Python, which is gone.
    """
    if thread is not threading.current_thread():
        thread.join(_FAREWELL)


def use_own_connection() -> None:
    """Have the calling thread connect by itself where Django would ask its pool.

    The engine goes on when requests and runs have taken all that the pool has.
    """
    shared = connections[conf().database]
    options = shared.settings_dict.get("OPTIONS", {})
    if options.get("pool"):
        alone = {name: value for name, value in options.items() if name != "pool"}
        own = type(shared)(shared.settings_dict | {"OPTIONS": alone}, shared.alias)
        connections[shared.alias] = own


P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    """A daemon thread with a database connection of its own; starts at the first call.

    A daemon, so that a connection that hangs cannot keep the process from ending.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._round: _Round | None = None

    def call(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> "asyncio.Future[T]":
        """Have *function* run in the thread; to be awaited. Cancelling it does not stop it."""
        # Not by way of submit(): a future for threads, tied to one of the loop, costs as much
        # as a small transaction.
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            if not answer.cancelled():
                call_on(loop, _settle, answer, _carry_out(partial(function, *args, **kwargs)))

        self._put(work)
        return answer

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Like :meth:`call`, from any thread."""
        future: Future[T] = Future()

        def work() -> None:
            if future.set_running_or_notify_cancel():
                _settle(future, _carry_out(partial(function, *args, **kwargs)))

        self._put(work)
        return future

    async def patrol(self, look: Callable[[], None], every: float) -> None:
        """Have *look* called about every so many seconds, between calls, until cancelled.

        Raises what it raises. One at a time: a thread that is up anyway costs less than another.
        """
        loop = asyncio.get_running_loop()
        failed: asyncio.Future[None] = loop.create_future()

        def glance() -> None:
            outcome = _carry_out(look)
            if isinstance(outcome, _Raised):
                self._round = None
                call_on(loop, _settle, failed, outcome)

        self._round = _Round(glance, every)
        self._put(_nothing)  # it waits differently from now on
        try:
            await failed
        finally:
            self._round = None

    def close(self) -> None:
        """Close the connection and end the thread after the calls before this one."""
        if self._thread is not None:
            self._calls.put(None)
            see_off(self._thread)
            self._thread = None

    def _put(self, work: Callable[[], None]) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()
        self._calls.put(work)

    def _serve(self) -> None:
        use_own_connection()
        while (work := self._next()) is not None:
            work()
            del work  # or the last result would live until the next call
        connections.close_all()

    def _next(self) -> Callable[[], None] | None:
        while True:
            wait = None
            if (round_ := self._round) is not None:
                wait = round_.begin()
            try:
                return self._calls.get(timeout=wait)
            except queue.Empty:
                continue


class _Round:
    """Looks when it is time."""

    def __init__(self, look: Callable[[], None], every: float) -> None:
        self._look = look
        self._every = every
        self._due = time.monotonic() + every

    def begin(self) -> float:
        """Look if it is time; seconds until the next one."""
        now = time.monotonic()
        if now >= self._due:
            self._look()
            self._due = now + self._every
        return self._due - now


def _nothing() -> None:
    pass


class _Raised(NamedTuple):
    error: BaseException


def _carry_out(call: Callable[[], T]) -> T | _Raised:
    try:
        return call()
    except BaseException as error:
        if isinstance(error, DatabaseError | InterfaceError):
            connections.close_all()  # the next call opens a sound one
        return _Raised(error)


def _settle(future: "Future[T] | asyncio.Future[T]", outcome: T | _Raised) -> None:
    if future.cancelled():
        return
    if isinstance(outcome, _Raised):
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome)
