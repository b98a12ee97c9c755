"""Commands: the function says which, and a process becomes it."""

import asyncio
import inspect
import os
import signal
from pathlib import PurePath
from typing import Any

from tasks.codec import decode, encode
from tasks.command import Command
from tasks.definition.options import Options
from tasks.engine import control
from tasks.engine.attempts.inbox import Inbox
from tasks.exceptions import CommandFailed
from tasks.runners.apart.client import Ended
from tasks.runners.apart.ending import died
from tasks.runners.apart.escort import Escort, escorted, together
from tasks.runners.apart.lines import Lines, Output
from tasks.runners.apart.wire import Kind
from tasks.runners.contract import Call
from tasks.runners.coroutine import run_coroutine
from tasks.runners.thread import run_in_thread

__all__ = ["run_command"]

_END = "\n"
_CHUNK = 65_536  # bytes written to stdin at once


async def run_command(call: Call) -> dict[str, Any]:
    """Execute the :class:`Command` that the function returns; the value says how it ended.

    Each line that it writes is an event. An exit code other than 0 is a failure. Asked to stop,
    it gets SIGTERM; what goes on for the grace period is ended by the system, and whatever it
    has started goes with it.
    """
    assert call.server is not None
    await call.server.ready()  # lest its start be taken for the function's time
    command = Command.of(await _said(call))
    attempt, journal = call.context._attempt, call.context._journal
    told = Output(attempt, journal, told=call.options.stream_output is not False)
    fed = command.interactive or command.stdin_text is not None
    async with escorted(call.server, attempt, _ask, capture=True, stdin=fed) as escort:
        await _start(command, call.options, escort)
        call.begin()
        lines = {name: Lines(name, told) for name in escort.outputs}
        reading = [lines[name].read(file) for name, file in escort.outputs.items()]
        feeding = asyncio.ensure_future(_feed(command, call, escort))
        try:
            await together(*reading, escort.hang_up())
        finally:
            feeding.cancel()
        ended = await escort.ended()
    return _value(command, call.options, ended, lines)


async def _said(call: Call) -> Any:
    if inspect.iscoroutinefunction(call.function):
        return await run_coroutine(call)
    return await run_in_thread(call)


def _ask(escort: Escort) -> None:
    escort.leader.signal(signal.SIGTERM)


async def _start(command: Command, options: Options, escort: Escort) -> None:
    """Have the leader become the command; :class:`CommandFailed` if it cannot."""
    given = {"argv": command.words, "options": options.as_json()}
    await escort.send(Kind.REQUEST, encode(given).encode())
    # The channel ends when the program begins.
    if (refused := await escort.receive()) is not None:
        name, why = command.words[0], decode(refused.data)
        raise CommandFailed(f"The command {name!r} cannot be started: {why}.")


async def _feed(command: Command, call: Call, escort: Escort) -> None:
    """Give it its stdin, until it reads no more."""
    data = memoryview((command.stdin_text or "").encode("utf-8", "surrogateescape"))
    for start in range(0, len(data), _CHUNK):
        await escort.write(bytes(data[start : start + _CHUNK]))
    if command.interactive:
        call.context._attempt.listen(inbox := Inbox())
        control.listen()
        while (line := decode(await inbox.get(None))) is not None:
            text = line if isinstance(line, str) else encode(line)
            await escort.write(f"{text.removesuffix(_END)}{_END}".encode())
    escort.close_stdin()


def _value(
    command: Command, options: Options, ended: Ended, lines: dict[str, Lines]
) -> dict[str, Any]:
    """What a run of a command returns; :class:`CommandFailed` if it has failed."""
    code = os.waitstatus_to_exitcode(ended.status)
    name = PurePath(command.words[0]).name
    if code:
        how = str(died(ended, options)) if code < 0 else f"It ended with exit code {code}."
        if code > 0 and options.memory_mb:  # many a program says so itself, and no more
            how += f" Its limit is memory_mb={options.memory_mb}."
        said = lines["stderr"].tail or lines["stdout"].tail
        raise CommandFailed(f"{name}: {how}" + (f" Its last lines:\n{said}" if said else ""))
    return {
        "exit_code": code,
        "stdout": lines["stdout"].tail,
        "stderr": lines["stderr"].tail,
        "lines": {stream: read.count for stream, read in lines.items()},
    }
