"""Tasks that receive what is sent to them."""

import sys
from typing import Any

from tasks import Command, Context, SyncContext, task

__all__: list[str] = []


def _take(context: SyncContext, count: int, fail_first: bool) -> list[Any]:
    taken = [context.receive() for _ in range(count)]
    context.emit("taken", taken)
    if fail_first and context.attempt == 1:
        raise RuntimeError("again")
    return taken


@task(takes_context=True)
async def take(context: Context, count: int) -> list[Any]:
    await context.emit("listening")
    return [await context.receive() for _ in range(count)]


@task(takes_context=True)
def take_in_thread(context: SyncContext, count: int, fail_first: bool = False) -> list[Any]:
    context.emit("listening")
    return _take(context, count, fail_first)


@task(takes_context=True, runner="process")
def take_apart(context: SyncContext, count: int, fail_first: bool = False) -> list[Any]:
    context.emit("listening")
    return _take(context, count, fail_first)


@task(takes_context=True, runner="process")
async def take_apart_async(context: Context, count: int) -> list[Any]:
    await context.emit("listening")
    return [await context.receive() for _ in range(count)]


@task(takes_context=True)
async def wait_in_vain(context: Context) -> str:
    try:
        await context.receive(timeout=0.01)
    except TimeoutError:
        return str(await context.receive())
    return "received"


@task(takes_context=True)
def wait_in_vain_in_thread(context: SyncContext) -> str:
    try:
        context.receive(timeout=0.01)
    except TimeoutError:
        return str(context.receive())
    return "received"


@task(runner="command")
def repeat() -> Command:
    code = "import sys\nfor line in sys.stdin: print('got', line, end='', flush=True)"
    return Command([sys.executable, "-S", "-u", "-c", code], stdin_text="first\n", interactive=True)
