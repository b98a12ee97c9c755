"""Programs of the command line that answer."""

import os
import signal
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tasks.agents.commandline import CommandLine, prompt
from tasks.agents.contract import Answer, Message, Outcome, Piece, Question, Request, Text
from tasks.agents.errors import ProviderError, ProviderSilent
from tasks.exceptions import RunCancelled
from tests.tasks.agents import cast
from tests.tasks.agents.test_agent import data
from tests.tasks.runs import kinds, until

ASKED = Request(instructions="Be short.", messages=[Question("Well? ☃")])


def program(code: str, **options: Any) -> CommandLine:
    return CommandLine(command=[sys.executable, "-c", code], **options)


async def answer(asked: CommandLine, request: Request = ASKED) -> str:
    async with aclosing(asked.reply(request)) as found:
        pieces: list[Piece] = [piece async for piece in found]
    assert all(isinstance(piece, Text) for piece in pieces)
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


async def test_it_reads_the_prompt_and_writes_the_answer() -> None:
    code = "import sys; print(sys.stdin.buffer.read().decode().upper().encode())"
    assert await answer(program(code)) == str("BE SHORT.\n\nWELL? ☃\n".encode()) + "\n"


def test_a_conversation_as_text() -> None:
    messages: list[Message] = [
        Question("A?"),
        Answer("B."),
        Outcome("1", "look", "7"),
        Question("C?"),
    ]
    said = prompt(Request(instructions="", messages=messages))
    assert said == "User: A?\n\nAssistant: B.\n\nlook(): 7\n\nUser: C?\n"


async def test_its_environment_is_what_it_was_given(tmp_path: Path) -> None:
    code = "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}), os.getcwd())"
    told = await answer(program(code, env={"TOKEN": "secret-token"}, working_dir=str(tmp_path)))
    assert told == f"['PATH', 'TOKEN'] {tmp_path}\n"


async def test_a_character_in_two_parts() -> None:
    code = (
        "import sys, time\n"
        "for byte in '☃'.encode():\n"
        "    sys.stdout.buffer.write(bytes([byte])); sys.stdout.flush()\n"
    )
    assert await answer(program(code)) == "☃"


async def test_more_than_a_pipe_holds() -> None:
    """It writes much before it reads, and is given much: neither waits for the other."""
    code = "import sys; sys.stdout.write('y' * 300_000); print(len(sys.stdin.read()))"
    request = Request(instructions="", messages=[Question("x" * 300_000)])
    assert (await answer(program(code), request))[300_000:] == "300001\n"


async def test_who_does_not_listen_may_answer() -> None:
    request = Request(instructions="", messages=[Question("x" * 1_000_000)])
    assert await answer(program("print('no')"), request) == "no\n"


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
async def test_a_program_that_fails(code: str, says: str) -> None:
    with pytest.raises(ProviderError, match=says) as caught:
        await answer(program(code, env={"TOKEN": "secret-token"}))
    assert len(str(caught.value)) <= 500


async def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ProviderError, match="cannot be started: No such file"):
        await answer(CommandLine(command=["/no/such/program"]))


async def test_silence_has_an_end() -> None:
    with pytest.raises(ProviderSilent):
        await answer(program("import time; time.sleep(60)", timeout=0.3))  # longer than it may


@pytest.mark.parametrize(
    "options",
    [
        {"command": []},
        {"command": "llm"},
        {"command": ["a", 1]},
        {"command": ["a\0"]},
        {"command": ["a"], "env": {"A": 1}},
        {"command": ["a"], "timeout": 0},
    ],
)
def test_settings_that_are_wrong(options: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured):
        CommandLine(**options)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.django_db(transaction=True)
async def test_who_ends_a_run_ends_the_program_and_its_children(supervisor: None) -> None:
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        "if child: print(os.getpid(), child, flush=True)\n"
        "time.sleep(600)\n"  # until it is ended
    )
    cast.STAGE.provider = program(code)
    handle = await cast.plain.aenqueue("Work.")

    async def begun() -> bool:
        return "append" in await kinds(handle)

    await until(begun)
    pids = [int(pid) for pid in (await data(handle, "append"))[0].split()]
    await handle.akill()
    with pytest.raises(RunCancelled):
        await handle.await_result(20)

    async def gone() -> bool:
        return not any(map(alive, pids))

    try:
        await until(gone)
    finally:
        for pid in filter(alive, pids):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.django_db(transaction=True)
async def test_an_agent_that_asks_a_program(supervisor: None) -> None:
    code = "import sys; print('You said:', sys.stdin.read().strip())"
    cast.STAGE.provider = program(code)
    handle = await cast.plain.aenqueue("Hello")
    value = await handle.await_result(20)
    assert value["text"] == "You said: Hello\n"
    assert value["usage"] == {"input_tokens": 0, "output_tokens": 0}
