"""The owner of a process's TaskGroup: what lives in it, and how it ends."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

import anyio

from tasks.conf import conf
from tasks.engine.process.children import Child, ChildFailed, keep_running
from tasks.engine.process.either import either
from tasks.engine.upkeep.examination import examine
from tasks.engine.upkeep.unserved import Unserved
from tasks.engine.upkeep.watchdog import Watchdog
from tasks.engine.workforce import Workforce

__all__ = ["ChildFailed", "Supervisor"]

logger = logging.getLogger("headway.supervisor")


class Supervisor:
    """Runs the engine's children, and the runs themselves if this process executes any.

    :meth:`serve` is to be called once, in a task of its own whose context is no
    request's. It returns after :meth:`drain`, when runs have ended or are given back; it
    raises :class:`ChildFailed` when a child keeps failing. *on_drained* is called when
    all events are committed and published, before the children end.
    """

    def __init__(
        self,
        *,
        execute: bool = True,
        children: Sequence[Child] = (),
        on_drained: Callable[[], None] | None = None,
    ) -> None:
        self._workforce = Workforce() if execute else None
        self._children = [
            *children,
            Child("watchdog", Watchdog().serve),
            Child("unserved", Unserved().serve),
        ]
        self._on_drained = on_drained
        self._draining = asyncio.Event()
        self._examined = asyncio.Event()
        #: Set when nothing of this process's is left to be written.
        self.drained = asyncio.Event()
        #: Set when claiming has begun; without execution, at once.
        self.ready = asyncio.Event()
        #: Set once all was executed that could be; without execution, never.
        self.exhausted = self._workforce.exhausted if self._workforce else asyncio.Event()

    async def serve(self) -> None:
        # Runs must not inherit the context variables of whoever starts the supervisor.
        hosting = asyncio.get_running_loop().create_task(
            self._host(), name="headway supervisor", context=contextvars.Context()
        )
        drained = asyncio.ensure_future(self.drained.wait())
        try:
            await asyncio.wait({hosting, drained}, return_when=asyncio.FIRST_COMPLETED)
            if self.drained.is_set() and not hosting.done():
                # A run that swallows its cancellation keeps the group open. Its row is
                # given back already, so this process need not wait for it.
                await asyncio.wait({hosting}, timeout=0.2)
            if hosting.done():
                _raise_child_failed(hosting)
        finally:
            drained.cancel()
            hosting.cancel()

    def drain(self) -> None:
        """Begin to end: no new claims, the grace period, then what still runs goes back.

        From the loop. Called again, it cuts the grace period short.
        """
        if self._draining.is_set() and self._workforce is not None:
            self._workforce.hurry()
        self._draining.set()

    @property
    def draining(self) -> bool:
        return self._draining.is_set()

    async def _host(self) -> None:
        async with anyio.create_task_group() as group:
            for child in (Child("examination", self._examine), *self._children):
                group.start_soon(keep_running, child, name=f"headway {child.name}")
            if self._workforce is None:
                self.ready.set()
                await self._draining.wait()
                self._end()
            else:
                await self._work(self._workforce)
            group.cancel_scope.cancel()

    async def _examine(self) -> None:
        await examine()
        self._examined.set()

    async def _work(self, workforce: Workforce) -> None:
        # Every statement of the engine would fail on tables of another form.
        await either(self._examined.wait(), self._draining.wait())
        async with anyio.create_task_group() as engine:
            for child in workforce.children():
                engine.start_soon(keep_running, child, name=f"headway {child.name}")
            async with anyio.create_task_group() as runs:
                workforce.open(runs)
                opening = asyncio.ensure_future(self._open(workforce))
                try:
                    await self._draining.wait()
                finally:
                    opening.cancel()
                await workforce.drain(conf().grace)
                self._end()
            engine.cancel_scope.cancel()

    async def _open(self, workforce: Workforce) -> None:
        await workforce.ready.wait()
        self.ready.set()

    def _end(self) -> None:
        """Everything is committed and published; what still hangs is not waited for."""
        if self._workforce is not None:
            self._workforce.close()
        if self._on_drained is not None:
            self._on_drained()
        self.drained.set()


def _raise_child_failed(task: "asyncio.Task[None]") -> None:
    with suppress(asyncio.CancelledError):
        error = task.exception()
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if error is not None:
            raise error
