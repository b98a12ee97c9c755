"""A program that is given a text and writes one: started, read, and ended whatever happens."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from typing import TypeVar

from tasks.codec import decode, encode
from tasks.definition.options import Options
from tasks.runners.apart.escort import Escort, escorted
from tasks.runners.apart.wire import Kind
from tasks.runners.contract import current_call

__all__ = ["Died", "NotStarted", "output"]

T = TypeVar("T")

_PIECE = 65_536  # bytes read or written at once
_KEPT = 4_096  # bytes of what it says went wrong: the newest ones


class NotStarted(Exception):
    """There is no such program, or no such folder."""


class Died(Exception):
    """The program ended with another status than 0."""

    def __init__(self, status: int, errors: str) -> None:
        how = f"status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"
        super().__init__(f"{how}: {errors}" if errors else how)


async def output(
    command: Sequence[str],
    given: str,
    *,
    env: Mapping[str, str],
    folder: str | None,
    silence: float,
) -> AsyncGenerator[bytes, None]:
    """What *command* writes to stdout, as it comes, with *given* on its stdin.

    Its environment is *env* and nothing else. Raises :class:`NotStarted`, ``TimeoutError`` after
    *silence* seconds without output, and :class:`Died`. In a run alone: the program is a leader
    of its own, as that of the runner ``command``, and all of it ends with the iteration, and
    with this process.
    """
    call = current_call.get(None)
    if call is None or call.server is None:
        raise NotStarted("only runs on the event loop ask programs")
    attempt = call.context._attempt
    async with escorted(call.server, attempt, _ask, capture=True, stdin=True) as escort:
        # A stop cancels the coroutine, and that ends the program.
        attempt.ask = None
        await _start(escort, command, Options(env=env, working_dir=folder))
        errors = bytearray()
        feeding = asyncio.create_task(_feed(escort, given), name="headway-program-stdin")
        keeping = asyncio.create_task(_keep(escort, errors), name="headway-program-stderr")
        # What it has started and left behind may have its output open.
        closing = asyncio.create_task(escort.hang_up(), name="headway-program-end")
        try:
            while piece := await _within(silence, escort.outputs["stdout"].read(_PIECE)):
                yield piece
            ended = await _within(silence, escort.ended())
            await _within(silence, keeping)
        finally:
            for helper in (feeding, keeping, closing):
                helper.cancel()
    if status := os.waitstatus_to_exitcode(ended.status):
        raise Died(status, errors.decode(errors="replace").strip())


async def _start(escort: Escort, command: Sequence[str], options: Options) -> None:
    asked = {"argv": list(command), "options": options.as_json(), "alone": True}
    await escort.send(Kind.REQUEST, encode(asked).encode())
    # The channel ends when the program begins.
    if (refused := await escort.receive()) is not None:
        raise NotStarted(decode(refused.data))


def _ask(escort: Escort) -> None:
    escort.leader.signal(signal.SIGTERM)


async def _within(seconds: float, awaited: Awaitable[T]) -> T:
    async with asyncio.timeout(seconds):
        return await awaited


async def _feed(escort: Escort, given: str) -> None:
    data = memoryview(given.encode())
    for start in range(0, len(data), _PIECE):
        await escort.write(bytes(data[start : start + _PIECE]))
    escort.close_stdin()


async def _keep(escort: Escort, errors: bytearray) -> None:
    while piece := await escort.outputs["stderr"].read(_PIECE):
        errors += piece
        del errors[:-_KEPT]
