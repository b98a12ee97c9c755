"""Tasks that do next to nothing: what is measured is what is around them."""

import asyncio
import time

from tasks import Context, task
from tests.bench.app.gates import crowds, gates
from tests.bench.payload import TEXT, Pace


@task
async def nothing() -> None:
    """Ends at once."""


@task
def nothing_in_thread() -> None:
    """Ends at once."""


@task(runner="process")
def nothing_apart() -> None:
    """Ends at once."""


@task
async def rest(seconds: float) -> None:
    await asyncio.sleep(seconds)  # it is what is measured


@task
def block(seconds: float) -> None:
    time.sleep(seconds)  # it is what is measured


@task
async def wait(gate: str) -> None:
    await crowds[gate].wait(gates[gate])


@task(takes_context=True)
async def emit(context: Context, count: int, rate: float, gated: bool) -> None:
    """Emit *count* events, *rate* a second; 0: as fast as it can."""
    if gated:
        await gates[str(context.run_id)].wait()
    pace = Pace(rate)
    for number in range(count):
        await context.emit("tick", {"n": number, "text": TEXT})
        if rate:
            await pace.next()
