"""``manage.py headway_worker`` and what its command line says."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.service.client import enqueue, enqueue_many
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve

pytestmark = pytest.mark.e2e


def work(worker: LiveServer, *arguments: str) -> None:
    """Run the command to its end."""
    worker.arguments = arguments
    worker.start(wait=False)
    assert worker.wait() == 0, worker.output


def test_once_executes_what_there_is_and_what_that_enqueues(
    serve: Serve, ledger: Ledger, tmp_path: Path
) -> None:
    web = serve(role="web").start()
    enqueue(web, "plant", str(tmp_path / "planted"), 3)
    enqueue_many(web, "mark", *[(str(tmp_path / "marks"),)] * 20)
    work(serve(server="worker"), "--once", "--concurrency", "3")
    assert ledger.statuses() == {"SUCCESSFUL": 24}
    assert len(marks(tmp_path / "planted")) == 4
    assert len(marks(tmp_path / "marks")) == 20


def test_once_with_nothing_to_do_ends(serve: Serve, ledger: Ledger) -> None:
    serve(role="web").start()  # which migrates
    work(serve(server="worker"), "--once")
    assert ledger.ids() == []


def test_queues_are_the_only_ones_taken_from(serve: Serve, ledger: Ledger, tmp_path: Path) -> None:
    web = serve(role="web").start()
    path = str(tmp_path / "marks")
    enqueue_many(web, "post", (path,), (path,))
    enqueue(web, "mark", path)
    work(serve(server="worker"), "--once", "--queues", "mail:1,other")
    assert Counter(marks(tmp_path / "marks")) == {"posted": 2}
    assert ledger.statuses() == {"SUCCESSFUL": 2, "READY": 1}
    # The command line outranks the environment.
    work(serve(server="worker", queues="mail"), "--once", "--queues", "*")
    assert ledger.statuses() == {"SUCCESSFUL": 3}


async def test_queues_of_the_environment_keep_a_serving_process_from_the_rest(
    serve: Serve, ledger: Ledger, tmp_path: Path
) -> None:
    server = serve(queues="mail:1,other").start()
    path = str(tmp_path / "marks")
    left = enqueue(server, "mark", path)  # older, and so it would be first
    taken = enqueue(server, "post", path)
    await ledger.until_finished(taken)
    assert ledger.run(left).status == "READY"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--queues", "mail:none"], "--queues: 'mail:none' is no queue: write name, name:limit"),
        (["--queues", ""], "--queues: no queue is named; * stands for all"),
        (["--concurrency", "0"], "--concurrency must be a whole number of at least 1, not '0'"),
        (["--concurrency", "x"], "--concurrency must be a whole number of at least 1, not 'x'"),
    ],
)
def test_a_wrong_command_line_says_what_is_right(
    live: Serve, arguments: list[str], message: str
) -> None:
    worker = live(server="worker", arguments=tuple(arguments), migrate=False)
    done = subprocess.run(
        worker.command(),
        cwd=worker.cwd,
        env=worker.env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"CommandError: {message}")
