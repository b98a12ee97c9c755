"""``manage.py tasks`` as a process of its own, in a terminal and in a pipe."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import leave
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.processes import ROOT, environment
from tests.stacks import Serve
from tests.terminal import Terminal
from tests.watchers import SocketWatcher, StreamWatcher, exactly, watching

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]  # some start four processes

TASKS = (sys.executable, "manage.py", "tasks")
PATIENCE = 60  # seconds
SIZE = 100, 12


def command(server: LiveServer, *arguments: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*TASKS, *arguments], cwd=ROOT, env=server.env, stdout=pipe, stderr=pipe, text=True
    )


def done(server: LiveServer, *arguments: str) -> tuple[int, str, str]:
    process = command(server, *arguments)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def terminal(server: LiveServer, *arguments: str) -> Terminal:
    return Terminal([*TASKS, *arguments], server.env, ROOT, SIZE)


def test_three_runs_in_a_terminal(serve: Serve, ledger: Ledger, tmp_path: Path) -> None:
    server = serve(complains=True).start()  # of the ladder
    paths = [str(tmp_path / name) for name in ("first", "second", "third")]
    first, second, third = (enqueue(server, "climb", path, 4) for path in paths)
    with terminal(server, "watch", first, second, third) as seen:
        seen.until(rf"^climb  …{first[-8:]}  ", rf"…{second[-8:]}", rf"…{third[-8:]}")
        assert not seen.cursor
        leave(paths[0], "step")
        leave(paths[1], "step")
        leave(paths[1], "step")
        shown = seen.until(
            rf"{first[-8:]}  █{{6}}░{{18}}   25%  1/4  0:\d\d  steps",
            rf"{second[-8:]}  █{{12}}░{{12}}   50%  2/4",
        )
        assert len(shown) == 3
        for _ in range(3):
            leave(paths[0], "step")
        leave(paths[1], "broken")
        seen.until(rf"{first[-8:]}.*100%  SUCCESSFUL", r"FAILED.*RuntimeError: the ladder br")
        code, out, err = done(server, "stop", third)
        # It may have ended by the time that it is looked at.
        assert (code, err, out in (f"{third} stop\n", f"{third} CANCELLED\n")) == (0, "", True)
        assert seen.wait() == 5
        assert [row.split()[1][1:] for row in seen.screen] == [
            run_id[-8:] for run_id in (first, second, third)
        ]
        assert "CANCELLED" in seen.screen[2]
        assert seen.cursor


def test_ctrl_c_ends_the_watching_alone(serve: Serve, ledger: Ledger, tmp_path: Path) -> None:
    server = serve().start()
    run_id = enqueue(server, "climb", str(tmp_path / "ladder"), 4)
    with terminal(server, "watch", run_id) as seen:
        seen.until(run_id[-8:])
        seen.interrupt()
        assert seen.wait() == 130
        assert seen.cursor
        assert "Traceback" not in "\n".join(seen.screen)
    assert ledger.run(run_id).status == "RUNNING"


def test_a_closed_pipe(serve: Serve, tmp_path: Path) -> None:
    server = serve().start()
    path = str(tmp_path / "enough")
    run_id = enqueue(server, "emit_until", path)
    process = command(server, "show", run_id, "--follow", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["type"] == "queued"
    process.stdout.close()
    assert (process.wait(PATIENCE), process.stderr.read()) == (141, "")
    process.stderr.close()
    leave(path, "enough")


def test_errors_are_a_line_and_a_code(serve: Serve, ledger: Ledger, tmp_path: Path) -> None:
    server = serve(complains=True).start()  # of the ladder
    run_id = enqueue(server, "climb", str(tmp_path / "ladder"), 1)
    leave(str(tmp_path / "ladder"), "broken")
    code, out, err = done(server, "result", run_id)
    assert (code, out, err) == (4, "", f"{run_id} FAILED: RuntimeError: the ladder broke\n")
    code, out, err = done(server, "enqueue", "tests.chaos.service.tasks.clim")
    assert (code, out) == (2, "")
    assert "Did you mean tests.chaos.service.tasks.climb" in err


def test_a_database_that_cannot_be_had(tmp_path: Path) -> None:
    env = environment(tmp_path / "empty")
    process = subprocess.run(
        [*TASKS, "list"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout) == (1, "")
    [line] = process.stderr.splitlines()
    assert line.startswith("CommandError: The database says: ")


def test_a_list_that_is_followed(serve: Serve, tmp_path: Path) -> None:
    server = serve().start()
    path = str(tmp_path / "marks")
    earlier = enqueue(server, "climb", path, 1)
    process = command(server, "list", "--follow", "--json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["id"] == earlier
    later = enqueue(server, "climb", path, 1)
    leave(path, "step")
    finished: set[str] = set()
    while finished != {earlier, later}:
        found = json.loads(process.stdout.readline())
        if found["status"] == "SUCCESSFUL":
            finished.add(found["id"])
    process.terminate()
    process.communicate(timeout=PATIENCE)


async def test_watching_what_another_process_has_just_enqueued(
    serve: Serve, ledger: Ledger
) -> None:
    server = serve().start()
    code, out, err = done(server, "enqueue", "tests.chaos.service.tasks.emit", "3", "pause=0.01")
    assert (code, err) == (0, "")
    run_id = out.strip()
    watchers = [StreamWatcher(server.port, run_id), SocketWatcher(server.port, run_id)]
    async with watching(watchers):
        pass
    exactly(watchers, ledger)
    for watcher in watchers:
        assert len(watcher.ends) == 1  # at the first try
    async with httpx.AsyncClient() as client:
        snapshot = (await client.get(f"{server.url}/tasks/{run_id}/")).json()
    assert (snapshot["status"], snapshot["return_value"]) == ("SUCCESSFUL", 3)
