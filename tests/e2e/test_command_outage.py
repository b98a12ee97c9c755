"""``manage.py tasks`` that goes on looking while PostgreSQL goes away and comes back."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.chaos.outages import Breakable, breakable
from tests.processes import ROOT, environment
from tests.stacks import SERVICE
from tests.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.servers, pytest.mark.timeout(180)]

PATIENCE = 90  # seconds

Process = subprocess.Popen[str]


@pytest.fixture
def stack() -> Iterator[Breakable]:
    with breakable(SERVICE) as made:
        yield made


@pytest.fixture
def env(stack: Breakable, tmp_path: Path) -> Mapping[str, str]:
    return environment(tmp_path) | {"HEADWAY_APPS": SERVICE, **stack.env}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", "tasks", *arguments]


def begun(env: Mapping[str, str], *arguments: str) -> Process:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command(*arguments), cwd=ROOT, env=env, stdout=pipe, stderr=pipe, text=True
    )


def done(env: Mapping[str, str], *arguments: str) -> str:
    process = begun(env, *arguments)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    return out.strip()


def line(process: Process, stream: str = "stdout") -> str:
    text: str = getattr(process, stream).readline()
    return text.strip()


def test_they_say_so_once_and_go_on(stack: Breakable, env: Mapping[str, str]) -> None:
    run_id = done(env, "enqueue", f"{SERVICE}.tasks.emit", "1")
    watch = begun(env, "watch", run_id, "--json")
    follow = begun(env, "list", "--follow", "--json")
    impatient = begun(env, "show", run_id, "--follow", "--outage", "1")
    with Terminal(command("watch", run_id), env, ROOT, (100, 12)) as bars:
        bars.until(run_id[-8:])
        for process in (watch, follow, impatient):
            line(process)  # it has begun to look
        stack.postgres.stop()
        bars.until("The database says: ")
        for process in (watch, follow, impatient):
            assert line(process, "stderr").startswith("The database says: ")
        _, err = impatient.communicate(timeout=PATIENCE)
        assert impatient.returncode == 1
        assert err.startswith("CommandError: The database says: ")
        stack.postgres.start()
        for process in (watch, follow):
            assert line(process, "stderr") == "The database answers again."
        done(env, "stop", run_id)
        assert bars.wait() == 5
        bar, says, answers, end = bars.screen
    assert run_id[-8:] in bar
    assert says.startswith("The database says: ")
    assert answers == "The database answers again."
    assert "CANCELLED" in end
    while json.loads(line(follow))["status"] != "CANCELLED":
        pass
    follow.terminate()
    for process, code in ((watch, 5), (follow, -15)):
        _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (code, "")
