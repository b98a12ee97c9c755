"""Commands: what they are given, what they write, how they end."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tasks import Command
from tasks.commands import run_command
from tasks.exceptions import RunCancelled
from tasks.testing import running_supervisor
from tests.app import commands
from tests.tasks.runs import kinds, until
from tests.tasks.watching import PATIENCE, data, emitted, failed, gone

SLEEP = "import time; time.sleep(600)"  # until it is ended


@pytest.fixture
async def supervisor(transactional_db: None) -> AsyncIterator[None]:
    async with running_supervisor():
        yield


async def texts(handle: Any, stream: str = "stdout") -> list[str]:
    return [item["text"] for item in await data(handle, "output") if item["stream"] == stream]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"argv": "ls -l"}, "shell=True only"),
        ({"argv": []}, "names the program"),
        ({"argv": ["ls", 5]}, "no str"),
        ({"argv": ["ls", "a\0b"]}, "NUL"),
        ({"argv": ["ls"], "shell": True}, "one text"),
        ({"argv": ["cat"], "stdin_text": b"text"}, "not bytes"),
    ],
)
def test_what_is_no_command_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Command(**given)


async def test_lines_and_value(supervisor: None) -> None:
    code = "import sys; print('one\\ntwo'); print('three', file=sys.stderr); print('end', end='')"
    handle = await commands.python.aenqueue(code)
    assert await handle.await_result(PATIENCE) == {
        "exit_code": 0,
        "stdout": "one\ntwo\nend",
        "stderr": "three",
        "lines": {"stdout": 3, "stderr": 1},
    }
    assert await texts(handle) == ["one", "two", "end"]
    assert await texts(handle, "stderr") == ["three"]


async def test_no_shell_reads_the_arguments(supervisor: None) -> None:
    handle = await commands.python.aenqueue("import sys; print(sys.argv[1:])", "$HOME; ls", "*")
    await handle.await_result(PATIENCE)
    assert await texts(handle) == ["['$HOME; ls', '*']"]


async def test_a_shell_if_asked_for(supervisor: None) -> None:
    handle = await commands.shell.aenqueue("echo $((1 + 2)) | cat")
    await handle.await_result(PATIENCE)
    assert await texts(handle) == ["3"]


async def test_by_name_and_async(supervisor: None) -> None:
    handle = await run_command.aenqueue(["cat"], stdin_text="ü")
    assert (await handle.await_result(PATIENCE))["stdout"] == "ü"
    handle = await commands.awaited.aenqueue("print(1)")
    assert (await handle.await_result(PATIENCE))["stdout"] == "1"


async def test_a_long_stdin_that_is_read_and_one_that_is_not(supervisor: None) -> None:
    text = "0123456789" * 100_000
    code = "import sys; print(len(sys.stdin.read()))"
    assert (await (await commands.fed.aenqueue(code, text)).await_result(PATIENCE))[
        "stdout"
    ] == "1000000"
    assert await (await commands.fed.aenqueue("pass", text)).await_result(PATIENCE)


async def test_a_long_line_comes_in_parts(supervisor: None) -> None:
    handle = await commands.python.aenqueue("print('x' * 40_000); print('y')")
    await handle.await_result(PATIENCE)
    parts = await data(handle, "output")
    assert [(len(part["text"]), part.get("continues", False)) for part in parts] == [
        (16_384, True),
        (16_384, True),
        (7_232, False),
        (1, False),
    ]


async def test_bytes_that_are_no_text(supervisor: None) -> None:
    handle = await commands.python.aenqueue("import os; os.write(1, b'a\\xff\\x00\\r\\n')")
    await handle.await_result(PATIENCE)
    assert await texts(handle) == ["a\\xff\x00"]


async def test_a_cap_is_declared(settings: Any, transactional_db: None) -> None:
    settings.HEADWAY = {"OUTPUT_BYTES": 1024}
    async with running_supervisor():
        handle = await commands.python.aenqueue("for _ in range(1000): print('x' * 99)")
        assert (await handle.await_result(PATIENCE))["lines"]["stdout"] == 1000
    found = await data(handle, "output")
    assert len(found) == 11
    assert found[-1] == {"stream": "stdout", "text": "", "truncated": True, "limit": 1024}


async def test_output_that_is_not_wanted(supervisor: None) -> None:
    handle = await commands.python.using(stream_output=False).aenqueue("print(1)")
    assert (await handle.await_result(PATIENCE))["stdout"] == "1"
    assert await data(handle, "output") == []


async def test_an_exit_code_is_a_failure(supervisor: None) -> None:
    code = "import sys; print('why', file=sys.stderr); sys.exit(3)"
    message = await failed(await commands.python.aenqueue(code))
    assert "why" in message
    handle = await commands.python.aenqueue(code)
    await failed(handle)
    assert "exit code 3" in (await data(handle, "finished"))[0]["error"]["message"]


async def test_a_missing_program(supervisor: None) -> None:
    assert "No such file" in await failed(await commands.returned.aenqueue(["/no/program"]))


async def test_a_value_that_is_no_command(supervisor: None) -> None:
    assert "shell=True only" in await failed(await commands.returned.aenqueue("ls"))


async def test_surroundings_and_limits(supervisor: None, tmp_path: Path) -> None:
    code = (
        "import os, resource; most = resource.getrlimit(resource.RLIMIT_NOFILE)[1];"
        "print(os.getcwd(), os.environ['A'], most)"
    )
    task = commands.python.using(working_dir=str(tmp_path), env={"A": "b"}, max_fds=40)
    value = await (await task.aenqueue(code)).await_result(PATIENCE)
    assert value["stdout"] == f"{tmp_path} b 40"
    task = commands.python.using(memory_mb=64)
    handle = await task.aenqueue("bytearray(100_000_000)")
    assert "MemoryError" in await failed(handle)
    assert "memory_mb=64" in (await data(handle, "finished"))[0]["error"]["message"]
    task = commands.python.using(cpu_seconds=1)
    assert "cpu_seconds=1" in await failed(await task.aenqueue("while True: pass"))


async def test_a_signal_is_named(supervisor: None) -> None:
    code = "import os; os.kill(os.getpid(), 11)"
    assert "SIGSEGV" in await failed(await commands.python.aenqueue(code))


async def test_a_timeout_ends_it(supervisor: None) -> None:
    task = commands.python.using(timeout=0.5)
    assert "TaskTimeout" in await failed(await task.aenqueue(SLEEP))


async def test_a_stop_is_sigterm(supervisor: None) -> None:
    handle = await commands.shell.aenqueue(
        "trap 'echo asked; exit' TERM; echo $$; sleep 600 & wait"
    )
    pid = int((await emitted(handle, "output"))["text"])
    assert await handle.astop()
    with pytest.raises(RunCancelled):
        await handle.await_result(PATIENCE)
    await gone(pid)
    assert await texts(handle) == [str(pid), "asked"]
    assert (await kinds(handle)).count("finished") == 1


async def test_a_stop_that_is_ignored_is_carried_out(settings: Any, transactional_db: None) -> None:
    settings.HEADWAY = {"GRACE": 0.3}
    async with running_supervisor():
        handle = await commands.shell.aenqueue("trap '' TERM; setsid sleep 600 & echo $!; wait")
        pid = int((await emitted(handle, "output"))["text"])
        assert await handle.astop()
        with pytest.raises(RunCancelled):
            await handle.await_result(PATIENCE)
        await gone(pid)


async def test_a_kill_ends_it(supervisor: None) -> None:
    handle = await commands.shell.aenqueue("trap '' TERM; setsid sleep 600 & echo $!; wait")
    pid = int((await emitted(handle, "output"))["text"])

    async def has_its_own_session() -> bool:  # it is printed before it does
        return os.getsid(pid) == pid

    await until(has_its_own_session, PATIENCE)
    assert await handle.akill()
    with pytest.raises(RunCancelled):
        await handle.await_result(PATIENCE)
    await gone(pid)
