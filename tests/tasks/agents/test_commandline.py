"""Programs of the command line that answer."""

import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from django.core.exceptions import ImproperlyConfigured

from tasks.agents.commandline import CommandLine, prompt
from tasks.agents.contract import Answer, Message, Outcome, Piece, Question, Request, Text
from tasks.agents.errors import ProviderError, ProviderSilent
from tasks.runners.apart.client import ForkServer
from tasks.runners.contract import Call, current_call
from tests.tasks.agents import cast

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = Request(instructions="Be short.", messages=[Question("Well? ☃")])


def program(code: str, **options: Any) -> CommandLine:
    return CommandLine(command=[sys.executable, "-c", code], **options)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server() -> AsyncIterator[ForkServer]:
    made = ForkServer()
    yield made
    made.close()


async def answer(server: ForkServer, asked: CommandLine, request: Request = ASKED) -> str:
    """What it says in something like a run."""
    context: Any = SimpleNamespace(_attempt=SimpleNamespace(killed=False, ending=None))
    current_call.set(Call(cast.plain.func, (), {}, context, server=server))
    async with aclosing(asked.reply(request)) as found:
        pieces: list[Piece] = [piece async for piece in found]
    assert all(isinstance(piece, Text) for piece in pieces)
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


async def test_it_reads_the_prompt_and_writes_the_answer(server: ForkServer) -> None:
    code = "import sys; print(sys.stdin.buffer.read().decode().upper().encode())"
    assert await answer(server, program(code)) == str("BE SHORT.\n\nWELL? ☃\n".encode()) + "\n"


async def test_a_conversation_as_text() -> None:
    messages: list[Message] = [
        Question("A?"),
        Answer("B."),
        Outcome("1", "look", "7"),
        Question("C?"),
    ]
    said = prompt(Request(instructions="", messages=messages))
    assert said == "User: A?\n\nAssistant: B.\n\nlook(): 7\n\nUser: C?\n"


async def test_its_environment_is_what_it_was_given(server: ForkServer, tmp_path: Path) -> None:
    code = "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}), os.getcwd())"
    told = await answer(
        server, program(code, env={"TOKEN": "secret-token"}, working_dir=str(tmp_path))
    )
    assert told == f"['PATH', 'TOKEN'] {tmp_path}\n"


async def test_a_character_in_two_parts(server: ForkServer) -> None:
    code = (
        "import sys, time\n"
        "for byte in '☃'.encode():\n"
        "    sys.stdout.buffer.write(bytes([byte])); sys.stdout.flush()\n"
    )
    assert await answer(server, program(code)) == "☃"


async def test_more_than_a_pipe_holds(server: ForkServer) -> None:
    """It writes much before it reads, and is given much: neither waits for the other."""
    code = "import sys; sys.stdout.write('y' * 300_000); print(len(sys.stdin.read()))"
    request = Request(instructions="", messages=[Question("x" * 300_000)])
    assert (await answer(server, program(code), request))[300_000:] == "300001\n"


async def test_what_it_leaves_behind_is_not_waited_for(server: ForkServer) -> None:
    """A child that goes on has its output open."""
    code = "import os, time; print('done', flush=True); os.fork() or time.sleep(600)"  # goes on
    assert await answer(server, program(code)) == "done\n"


async def test_who_does_not_listen_may_answer(server: ForkServer) -> None:
    request = Request(instructions="", messages=[Question("x" * 1_000_000)])
    assert await answer(server, program("print('no')"), request) == "no\n"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (
            "import sys; print('a'); sys.exit('no such model: secret-token')",
            r"status 1: no .*: \*\*\*",
        ),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal SIGKILL"),
        ("import sys; sys.stderr.write('x' * 100_000); sys.exit(3)", "status 3: xxx"),
    ],
)
async def test_a_program_that_fails(server: ForkServer, code: str, says: str) -> None:
    with pytest.raises(ProviderError, match=says) as caught:
        await answer(server, program(code, env={"TOKEN": "secret-token"}))
    assert len(str(caught.value)) <= 500


async def test_a_program_that_is_not_there(server: ForkServer) -> None:
    with pytest.raises(ProviderError, match="cannot be started: No such file"):
        await answer(server, CommandLine(command=["/no/such/program"]))


async def test_silence_has_an_end(server: ForkServer) -> None:
    code = "import time; time.sleep(60)"  # longer than it may
    with pytest.raises(ProviderSilent):
        await answer(server, program(code, timeout=0.3))


@pytest.mark.parametrize(
    "options",
    [
        {"command": []},
        {"command": "llm"},
        {"command": ["a", 1]},
        {"command": ["a\0"]},
        {"command": ["a"], "env": {"A": 1}},
        {"command": ["a"], "env": {"A=B": "1"}},
        {"command": ["a"], "working_dir": ""},
        {"command": ["a"], "timeout": 0},
    ],
)
async def test_settings_that_are_wrong(options: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured):
        CommandLine(**options)


async def test_without_a_run_there_is_no_program() -> None:
    with pytest.raises(ProviderError, match="on the event loop"):
        async with aclosing(program("print(1)").reply(ASKED)) as found:
            await anext(found)
