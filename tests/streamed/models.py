"""The five kinds of tasks that the streaming coordinator has as examples, and odd ones."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
from django.db import models

from tasks.models import StreamTask
from tests.chaos.service.marks import leave, left

Data = dict[str, Any]


class ExampleTask(StreamTask):
    """Starts, makes three steps, completes."""

    message = models.CharField(max_length=255, default="Hello")
    pause = models.FloatField(default=0.01)

    async def process(self) -> Data:
        await self.send_event("start", {"message": self.message, "total_steps": 3})
        for step in (1, 2, 3):
            await asyncio.sleep(self.pause)  # the pace is what the test asks for
            await self.send_event("progress", {"step": step, "total_steps": 3})
        await self.send_event("complete", {"message": "Done"})
        return {"message": self.message, "completed": True}


class ContinueTask(StreamTask):
    """Waits for a flag in its row."""

    continue_field = models.BooleanField(default=False, db_column="continue")

    async def process(self) -> str:
        # In the log this name is Headway's own.
        await self.send_event("started", {"continue": self.continue_field})
        while not self.continue_field:
            await asyncio.sleep(0.02)  # the pause between two looks at what others write
            await self.arefresh_from_db(fields=["continue_field"])
        await self.send_event("final", {"continue": True})
        await self.send_event("complete", {"message": "Continued"})
        return "continued"


class AsyncGeneratorTask(StreamTask):
    count = models.IntegerField(default=5)

    async def process(self) -> Data | None:
        await self.send_event("start", {"total_steps": self.count})
        last = await self.process_generator(self._steps())
        await self.send_event("complete", {"message": "All steps completed"})
        return last

    async def _steps(self) -> AsyncIterator[Data]:
        for number in range(self.count):
            await asyncio.sleep(0)  # others may come in between
            yield {"step": number + 1, "total": self.count}


class SyncGeneratorTask(StreamTask):
    """Its generator blocks and queries, which it may."""

    items = models.JSONField(default=list)
    #: It blocks until there is a mark at this path.
    gate = models.CharField(max_length=255, blank=True)

    async def process(self) -> Data | None:
        await self.send_event("start", {"total_items": len(self.items)})
        last = await self.process_sync_generator(self._results())
        await self.send_event("complete", {"message": f"{len(self.items)} items"})
        return last

    def _results(self) -> Iterator[Data]:
        for index, item in enumerate(self.items):
            while self.gate and not left(self.gate):
                time.sleep(0.01)  # to block is what it is for
            known = SyncGeneratorTask._default_manager.filter(pk=self.pk).exists()
            yield {"index": index, "item": item, "known": known}


class HttpFetchTask(StreamTask):
    url = models.URLField()

    async def process(self) -> Any:
        await self.send_event("start", {"url": self.url})
        async with httpx.AsyncClient(timeout=30) as client:
            await self.send_event("progress", {"status": "fetching"})
            response = await client.get(self.url)
        response.raise_for_status()
        await self.send_event("progress", {"status": "fetched", "code": response.status_code})
        await self.send_event("complete", {"url": self.url})
        return response.json()


class OddTask(StreamTask):
    """What goes wrong, by name."""

    kind = models.CharField(max_length=40)

    async def process(self) -> Any:
        await self.send_event("start", {"kind": self.kind})
        match self.kind:
            case "raises":
                raise RuntimeError("It broke.")
            case "unserialisable":
                return {"when": object()}
            case "names":
                for name in ("finished", "run.started", "stream", "step 1", "queued"):
                    await self.send_event(name, {"name": name})
                plain: tuple[Any, ...] = (None, 5, [1], "text", {})
                for data in plain:
                    await self.send_event("plain", data)
            case "sleeps":
                await asyncio.sleep(3600)  # until it is stopped
        return self.kind


class CountingTask(StreamTask):
    """Counts, and says in a file which process has begun; an attempt begins anew.

    With a file, it waits at the eighth until it may go on (``.go``).
    """

    path = models.CharField(max_length=255, blank=True)
    count = models.IntegerField(default=10)
    pause = models.FloatField(default=0.02)
    attempts = models.IntegerField(default=1)
    #: It is killed by itself once it is completed, has not ended yet, and may go on.
    dies = models.BooleanField(default=False)

    @property
    def run_options(self) -> Data:  # type: ignore[override]
        return {"max_attempts": self.attempts}

    async def process(self) -> int:
        if self.path:
            leave(self.path, f"{os.getpid()} begun")
        for number in range(self.count):
            if number == 8:
                await self._may_go_on()
            await self.send_event("progress", {"n": number})
            await asyncio.sleep(self.pause)  # the pace is what the test asks for
        return self.count

    async def mark_completed(self, final_value: Any = None) -> None:
        await super().mark_completed(final_value)
        if self.dies and not left(f"{self.path}.died"):
            await self._may_go_on()
            leave(f"{self.path}.died", str(os.getpid()))
            os.kill(os.getpid(), 9)

    async def _may_go_on(self) -> None:
        while self.path and not left(f"{self.path}.go"):  # noqa: ASYNC110 - another process's
            await asyncio.sleep(0.01)  # it is another process's event


class TwinTask(StreamTask):
    async def process(self) -> str:
        return "this one"
