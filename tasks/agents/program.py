"""A program that is given a text and writes one: started, read, and ended whatever happens."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress

import anyio

__all__ = ["Died", "output"]

_PIECE = 65_536  # bytes read at once
_REAPED = 5.0  # seconds until a process that was killed is gone: only a broken disk takes as long
_KEPT = 4_096  # bytes of what it says went wrong: the newest ones


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

    Raises ``OSError`` if it cannot be started, ``TimeoutError`` after *silence* seconds
    without output, and :class:`Died`. Its whole process group ends with the iteration.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=env, cwd=folder, start_new_session=True
    )
    errors = bytearray()
    helpers = [
        asyncio.create_task(_feed(process, given), name="headway-program-stdin"),
        asyncio.create_task(_keep(process, errors), name="headway-program-stderr"),
    ]
    try:
        assert process.stdout is not None
        while True:
            async with asyncio.timeout(silence):
                piece = await process.stdout.read(_PIECE)
            if not piece:
                break
            yield piece
        async with asyncio.timeout(silence):
            status = await process.wait()
            await helpers[1]
        if status:
            raise Died(status, errors.decode(errors="replace").strip())
    finally:
        for helper in helpers:
            helper.cancel()
        await _end(process)


async def _end(process: Process) -> None:
    # The group may outlive its leader, whose number stays taken as long.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with anyio.move_on_after(_REAPED, shield=True):
        await process.wait()


async def _feed(process: Process, given: str) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # it may not want to hear it all
        process.stdin.write(given.encode())
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _keep(process: Process, errors: bytearray) -> None:
    assert process.stderr is not None
    while piece := await process.stderr.read(_PIECE):
        errors += piece
        del errors[:-_KEPT]
