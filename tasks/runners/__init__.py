"""Ways to execute a task's function, one file each, behind one contract."""

from tasks.runners.contract import Call, Runner
from tasks.runners.coroutine import run_coroutine
from tasks.runners.thread import run_in_thread

__all__ = ["Call", "Runner", "runner_for"]


def runner_for(call: Call) -> Runner:
    """The runner that fits the task's function."""
    return run_coroutine if call.is_async else run_in_thread
