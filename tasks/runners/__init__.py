"""Ways to execute a task's function, one file each, behind one contract."""

from tasks.runners.command import run_command
from tasks.runners.contract import Call, Encoded, Runner
from tasks.runners.coroutine import run_coroutine
from tasks.runners.process import run_in_process
from tasks.runners.thread import run_in_thread

__all__ = ["Call", "Encoded", "Runner", "runner_for"]

_RUNNERS: dict[str | None, Runner] = {
    "async": run_coroutine,
    "thread": run_in_thread,
    "process": run_in_process,
    "command": run_command,
}


def runner_for(call: Call) -> Runner:
    """The runner that the call's options name."""
    return _RUNNERS[call.options.runner]
