"""Supervisor and hub of this process: up and down once, whatever the server."""

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context
from enum import StrEnum
from typing import NamedTuple, Protocol

from tasks.conf import conf
from tasks.engine.process.children import CannotStart
from tasks.surroundings.notify import notify

__all__ = ["Lifecycle", "Parts", "Phase", "Runner"]

logger = logging.getLogger("headway")


class Phase(StrEnum):
    IDLE = "idle"  # nothing asked to start: an import, a check, a test
    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"
    STOPPED = "stopped"


class Runner(Protocol):
    """What is used of :class:`tasks.engine.supervisor.Supervisor`."""

    async def serve(self) -> None: ...
    def drain(self) -> None: ...


class Parts(NamedTuple):
    """What a process runs: made when it starts, never at import."""

    supervisor: Runner
    #: All are set once the process may serve.
    ready: tuple[asyncio.Event, ...]
    #: Lets the watchers say farewell; called once more than the supervisor does.
    close: Callable[[], None]


class Lifecycle:
    """Owns the one task that serves.

    *on_failure* is called in the loop when serving ended without having been asked to;
    :attr:`failure` tells why, and the process must end with a non-zero code.
    """

    def __init__(self, build: Callable[[], Parts]) -> None:
        self._build = build
        self._parts: Parts | None = None
        self._owner: asyncio.Task[None] | None = None
        self._on_failure: Callable[[], None] = lambda: None
        #: Serving, or no longer going to.
        self._decided = asyncio.Event()
        self.phase = Phase.IDLE
        self.failure: BaseException | None = None
        self.ended = asyncio.Event()

    def start(self, on_failure: Callable[[], None]) -> None:
        """Start to serve, from the running loop. A second call changes nothing."""
        if self.phase is not Phase.IDLE:
            return
        self.phase = Phase.STARTING
        self._on_failure = on_failure
        # A context of its own: the caller may be a request, and what is in its context
        # variables (user, connection, cancel scopes) would live on in every run.
        clean = Context()
        self._parts = parts = clean.run(self._build)
        loop = asyncio.get_running_loop()
        self._owner = loop.create_task(self._serve(parts), name="headway", context=clean)

    def is_ready(self) -> bool:
        """Whether all that serves is up right now; a part may be down for a while."""
        parts = self._parts
        up = parts is not None and all(event.is_set() for event in parts.ready)
        return up and self.phase is Phase.SERVING

    async def settled(self) -> bool:
        """Wait until it is decided whether this process serves; whether it does."""
        await self._decided.wait()
        return self.phase is Phase.SERVING

    def drain(self) -> None:
        """Take no more runs, and end when those under way have or the grace period is over."""
        if self._parts is None:
            self.ended.set()
        elif self.phase in {Phase.STARTING, Phase.SERVING}:
            self.phase = Phase.DRAINING
            self._decided.set()
            logger.info("Stopping.")
            notify("STOPPING=1")
            self._parts.supervisor.drain()

    def hurry(self) -> None:
        """Cut the grace period short, if it is under way."""
        if self._parts is not None and self.phase is Phase.DRAINING:
            # Asked a second time, the supervisor gives back what still runs.
            self._parts.supervisor.drain()

    def close(self) -> None:
        """Let every watcher say farewell."""
        if self._parts is not None:
            self._parts.close()

    def abandon(self) -> None:
        """Give up on an orderly end. The leases tell others what was left behind."""
        if self._owner is not None:
            self._owner.cancel()

    async def _serve(self, parts: Parts) -> None:
        opening = asyncio.create_task(self._open(parts.ready), name="headway opening")
        try:
            await parts.supervisor.serve()
            if self.phase is not Phase.DRAINING:
                raise RuntimeError("The supervisor ended by itself.")
        except Exception as error:
            self.failure = error
            # Where the code was when it saw that a person is needed helps nobody.
            where = None if isinstance(error, CannotStart) else error
            logger.critical("Headway cannot go on: %s", error, exc_info=where)
        finally:
            opening.cancel()
            self.phase = Phase.STOPPED
            self._decided.set()
            self.ended.set()
        if self.failure is not None:
            self._on_failure()

    async def _open(self, ready: tuple[asyncio.Event, ...]) -> None:
        for event in ready:
            await event.wait()
        if self.phase is Phase.STARTING:
            self.phase = Phase.SERVING
            self._decided.set()
            logger.info("Ready, as %r.", conf().role)
            notify("READY=1")
