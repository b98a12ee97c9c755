"""Programs that answer for agents, from their start to their end."""

import sys
from typing import Any

import pytest

from tasks.agents.commandline import CommandLine
from tasks.exceptions import RunCancelled
from tests.tasks.agents import cast
from tests.tasks.watching import data, emitted, gone

pytestmark = pytest.mark.django_db(transaction=True)

STUBBORN = (
    "import os, signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = os.fork()\n"
    "if not child: os.setsid()\n"
    "if child: print(os.getpid(), child, flush=True)\n"
    "time.sleep(600)\n"  # until it is ended
)


def program(code: str, **options: Any) -> CommandLine:
    return CommandLine(command=[sys.executable, "-c", code], **options)


async def test_an_agent_that_asks_a_program(supervisor: None) -> None:
    cast.STAGE.provider = program("import sys; print('You said:', sys.stdin.read().strip())")
    handle = await cast.plain.aenqueue("Hello")
    value = await handle.await_result(30)
    assert value["text"] == "You said: Hello\n"
    assert value["usage"] == {"input_tokens": 0, "output_tokens": 0}
    assert "".join(await data(handle, "append")) == "You said: Hello\n"


@pytest.mark.parametrize("way", ["astop", "akill"])
async def test_who_ends_a_run_ends_the_program_and_its_children(
    settings: Any, supervisor: None, way: str
) -> None:
    settings.HEADWAY = {"GRACE": 3600}  # it is not waited for
    cast.STAGE.provider = program(STUBBORN)
    handle = await cast.plain.aenqueue("Work.")
    pids = map(int, (await emitted(handle, "append")).split())
    await getattr(handle, way)()
    with pytest.raises(RunCancelled):
        await handle.await_result(30)
    await gone(*pids)
