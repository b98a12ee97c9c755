"""A task that is a row: a model whose ``process()`` is executed as a run, and watched live.

::

    from tasks.models import StreamTask

    class Import(StreamTask):
        file = models.FileField()

        async def process(self):
            await self.send_event("start", {"file": self.file.name})
            ...
            return {"rows": 1200}

``tasks.coordinator`` starts it.
"""

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.core.checks import CheckMessage, Error
from django.db import models
from django.utils import timezone

from tasks.events import PROGRESS, streamed
from tasks.exceptions import NotInRun
from tasks.surroundings.own_thread import in_own_thread

if TYPE_CHECKING:
    from tasks.context import Context

__all__ = ["StreamTask"]

T = TypeVar("T")


class StreamTask(models.Model):
    """What is to be done, and what came of it. The run that does it is a :class:`TaskRun`."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    #: When :meth:`process` had returned; null until then, and for ever if it fails.
    completed_at = models.DateTimeField(null=True, blank=True)
    #: What it returned.
    final_value = models.JSONField(null=True, blank=True)
    #: The newest run of it; null until it is first started. No foreign key: runs are deleted
    #: when they are old, and rows stay; a constraint would have each of those deletions look
    #: through this table, which may even be in another database. So it may name a run that
    #: is no more, and a migration of yours depends on none of Headway's.
    run_id = models.UUIDField(null=True, blank=True, editable=False)

    #: Options of its runs, as those of ``Task.using``: ``{"max_attempts": 3, "timeout": 60}``.
    run_options: ClassVar[Mapping[str, Any]] = {}

    _context: "Context | None" = None

    class Meta:
        abstract = True

    async def process(self) -> Any:
        """Do it, and return what is to be the ``final_value``: anything JSON can hold.

        It may be called again on the same row after its process has died, or where
        ``run_options`` grant it several attempts.
        """
        raise NotImplementedError(f"{type(self).__name__} has no process().")

    async def send_event(self, event_type: str, data: Any = None) -> None:
        """Tell everybody who watches, now or later: the event goes into the run's log.

        Only while :meth:`process` runs: :class:`NotInRun` otherwise. Raises
        :class:`InvalidEvent` or :class:`InvalidValue`; then nothing is sent.
        """
        if self._context is None:
            raise NotInRun
        await self._context.emit(*streamed(event_type, data))

    async def process_generator(self, generator: AsyncIterable[T]) -> T | None:
        """Send each value as a ``progress`` event, and return the last one."""
        last = None
        try:
            async for last in generator:
                await self.send_event(PROGRESS, last)
        finally:
            if isinstance(generator, AsyncGenerator):
                await generator.aclose()
        return last

    async def process_sync_generator(self, generator: Iterable[T]) -> T | None:
        """:meth:`process_generator`, of a plain generator: it runs in a thread of its own,
        where it may block and query.
        """
        return await self.process_generator(in_own_thread(generator))

    async def mark_completed(self, final_value: Any = None) -> None:
        """Say that it is done. Called with what :meth:`process` returns."""
        self.completed_at = timezone.now()
        self.final_value = final_value
        await self.asave(update_fields=["completed_at", "final_value", "updated_at"])

    async def mark_incomplete(self) -> None:
        """Take :meth:`mark_completed` back: it may be started once more."""
        self.completed_at = self.final_value = None
        await self.asave(update_fields=["completed_at", "final_value", "updated_at"])

    @classmethod
    def check(cls, **kwargs: Any) -> list[CheckMessage]:
        found = super().check(**kwargs)
        inherited = cls.process is StreamTask.process
        if inherited or not inspect.iscoroutinefunction(cls.process):
            message = f"{cls.__name__} needs a process(), an `async def` that returns."
            hint = "Of a generator, `return await self.process_generator(…)`."
            found.append(Error(message, hint=hint, obj=cls, id="headway.E020"))
        return found
