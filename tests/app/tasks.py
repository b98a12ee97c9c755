"""Tasks for the suite."""

import asyncio
import contextvars
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Generator
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks import Context, SyncContext, task

ambient: contextvars.ContextVar[str] = contextvars.ContextVar("ambient", default="clean")


@task
async def add(a: int, b: int = 0) -> int:
    return a + b


@task
async def echo(value: Any) -> Any:
    return value


@task
def add_in_thread(a: int, b: int) -> int:
    return a + b


@task
def thread_name() -> str:
    return threading.current_thread().name


@task(name="suite.named")
async def named() -> str:
    return "by name"


@task(takes_context=True)
async def emit(context: Context, count: int, pause: float = 0.0) -> int:
    for number in range(count):
        await context.emit("tick", {"n": number})
        if pause:
            await asyncio.sleep(pause)  # the event rate is what the test asks for
    return count


@task(takes_context=True)
def emit_in_thread(context: SyncContext, count: int) -> int:
    for number in range(count):
        context.emit("tick", {"n": number})
    return count


@task(takes_context=True, max_attempts=100)
async def emit_durably(context: Context, count: int, pause: float = 0.0) -> int:
    """Survives the death of its process: an attempt begins anew."""
    for number in range(count):
        await context.emit("tick", {"n": number, "attempt": context.attempt})
        if pause:
            await asyncio.sleep(pause)  # the event rate is what the test asks for
    return count


@task
async def async_values(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


@task
def sync_values(count: int) -> Generator[int, None, int]:
    yield from range(count)
    return count


@task
async def fail(message: str = "broken") -> None:
    raise RuntimeError(message)


@task(max_attempts=3)
async def fail_thrice() -> None:
    raise RuntimeError("again")


@task(takes_context=True, max_attempts=3)
async def fail_once(context: Context) -> int:
    if context.attempt == 1:
        raise RuntimeError("first")
    return context.attempt


@task
async def exit_process() -> None:
    raise SystemExit(3)


@task
async def cancel_itself() -> None:
    raise asyncio.CancelledError


@task
async def sleep(seconds: float) -> str:
    await asyncio.sleep(seconds)  # to take so long is what it is for
    return "slept"


@task
def sleep_in_thread(seconds: float) -> str:
    time.sleep(seconds)  # to take so long is what it is for
    return "slept"


@task(timeout=0.1)
async def too_slow() -> None:
    await asyncio.sleep(3600)  # longer than its timeout


@task(timeout=0.1)
def too_slow_in_thread() -> None:
    time.sleep(2)  # longer than its timeout


@task
async def block_loop(seconds: float) -> str:
    time.sleep(seconds)  # noqa: ASYNC251 - the mistake that the watchdog is for
    return "blocked"


@task(takes_context=True)
def until_stopped(context: SyncContext) -> str:
    context.emit("begun")
    while not context.cancel_requested:
        time.sleep(0.005)  # the pause between two looks at the token
    context.emit("noticed")
    return "noticed"


@task
async def stubborn(seconds: float) -> None:
    """Swallows its cancellation for a while."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            await asyncio.sleep(0.05)  # somewhere for the cancellation to arrive
        except asyncio.CancelledError:
            continue


@task
async def unserialisable() -> object:
    return object()


@task
async def see_ambient() -> str:
    seen = ambient.get()
    ambient.set("touched")
    return seen


@task(takes_context=True)
async def track(context: Context, count: int) -> int:
    done = 0
    async for _ in context.track(range(count), message="counting"):
        done += 1
    return done


@task(takes_context=True)
def track_in_thread(context: SyncContext, count: int) -> int:
    return sum(1 for _ in context.track(range(count)))


@task(takes_context=True)
async def bad_event(context: Context, type_: str) -> None:
    await context.emit(type_)


@task(takes_context=True)
async def large_event(context: Context, size: int) -> None:
    await context.emit("large", "x" * size)


most_at_once: dict[str, int] = {}
_at_once: Counter[str] = Counter()


@task(takes_context=True)
async def count_myself(context: Context) -> None:
    """Notes how many of its kind run at once, by queue."""
    queue = context.queue_name
    _at_once[queue] += 1
    most_at_once[queue] = max(most_at_once.get(queue, 0), _at_once[queue])
    await asyncio.sleep(0.01)  # so that others could begin
    _at_once[queue] -= 1


@task(takes_context=True)
async def write(context: Context, tokens: list[str]) -> int:
    for token in tokens:
        await context.append(token)
    return len(tokens)


@task(takes_context=True)
def write_in_thread(context: SyncContext, tokens: list[str]) -> int:
    for token in tokens:
        context.append(token)
    return len(tokens)


@task(takes_context=True, max_attempts=2)
async def write_twice(context: Context) -> None:
    await context.append(f"attempt {context.attempt}")
    if context.attempt == 1:
        raise RuntimeError("once more")


@task(takes_context=True)
async def count_watchers(context: Context, enough: int) -> list[int]:
    """How many watched at first, and then."""
    first = context.watchers
    while context.watchers < enough:  # noqa: ASYNC110
        await asyncio.sleep(0.01)  # it is another process's event
    return [first, context.watchers]


def soon(error: BaseException, run: Any) -> float:
    """A backoff: the further the attempt, the sooner the next, to be told from the setting's."""
    assert isinstance(error, RuntimeError)
    return 0.25 / int(run.attempts)


async def soon_too(error: BaseException, run: Any) -> timedelta:
    return timedelta(seconds=soon(error, run))


def no_idea(error: BaseException, run: Any) -> None:
    raise LookupError(f"no idea after {error}")


@task(max_attempts=2, backoff=soon)
async def fail_twice() -> None:
    raise RuntimeError("again")


@task
async def choose(alias: str, using: str = "") -> str:
    return alias + using


@task(takes_context=True)
async def say(context: Context, value: Any) -> Any:
    """Gives the value back as an event, and as the result."""
    await context.emit("said", value)
    return value


@task
def echo_in_thread(value: Any) -> Any:
    return value


@task
async def give(kind: str) -> Any:
    """What no JSON can hold."""
    return {
        "nan": float("nan"),
        "datetime": datetime(2026, 11, 21, tzinfo=UTC),
        "bytes": b"bytes",
    }[kind]
