import queue
import subprocess
import sys
from typing import TypeAlias

import pytest

from tasks.engine.process import lastresort
from tasks.engine.process.lastresort import LastResort
from tests.processes import ROOT

Codes: TypeAlias = "queue.SimpleQueue[int]"


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Codes:
    """The codes with which the process would have been ended."""
    codes: queue.SimpleQueue[int] = queue.SimpleQueue()
    monkeypatch.setattr(lastresort, "end_process", codes.put)
    return codes


def test_it_ends_a_process_whose_threads_are_stuck() -> None:
    program = """
import threading
from tasks.engine.process.lastresort import LastResort
threading.Thread(target=threading.Event().wait, name="stuck").start()
last_resort = LastResort()
last_resort.start()
last_resort.arm(0.1, code=3)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 3, done.stderr
    assert "has not stopped in time" in done.stderr
    assert "threading.py" in done.stderr  # where they are stuck


def test_the_earlier_deadline_and_the_worse_code_count(ended: Codes) -> None:
    last_resort = LastResort()
    last_resort.start()
    last_resort.start()

    last_resort.arm(1000, code=1)
    last_resort.arm(0)
    last_resort.arm(1000)

    assert ended.get(timeout=10) == 1
    with pytest.raises(queue.Empty):
        ended.get_nowait()


def test_armed_before_it_is_started(ended: Codes) -> None:
    last_resort = LastResort()
    last_resort.arm(0, code=0)

    last_resort.start()

    assert ended.get(timeout=10) == 0
