"""What a benchmark asks of the server."""

import gc

from django.http import HttpRequest, HttpResponse

from tests.bench.app import tasks
from tests.bench.app.gates import crowds, gates


async def open_run(request: HttpRequest) -> HttpResponse:
    """Enqueue a run that emits; with ``gated=1`` it waits for :func:`go`."""
    query = request.GET
    handle = await tasks.emit.aenqueue(
        int(query["count"]), float(query["rate"]), query["gated"] == "1"
    )
    return HttpResponse(handle.id)


async def go(request: HttpRequest, run: str) -> HttpResponse:
    gates.pop(run).set()
    return HttpResponse("gone")


async def gather(request: HttpRequest, gate: str, count: int) -> HttpResponse:
    """Have *count* tasks wait at *gate*; answers when all of them do."""
    await tasks.wait.aenqueue_many([((gate,), {})] * count)
    await crowds[gate].gather(count)
    return HttpResponse("waiting")


def idle(request: HttpRequest) -> HttpResponse:
    """A page of the project's own, through the whole middleware and a thread."""
    return HttpResponse("idle")


def collect(request: HttpRequest) -> HttpResponse:
    gc.collect()
    return HttpResponse("collected")
