"""Why a process has ended, in words."""

import os
import signal

from tasks.definition.options import Options
from tasks.exceptions import LimitExceeded, ProcessDied
from tasks.runners.apart.client import Ended

__all__ = ["died"]


def died(ended: Ended, options: Options) -> ProcessDied:
    """Why a process ended without an answer, with the limit that it may have met."""
    code = os.waitstatus_to_exitcode(ended.status)
    if code >= 0:
        return ProcessDied(f"The process ended by itself with exit code {code}.")
    number = -code
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    most = options.cpu_seconds
    used_up = most is not None and (number == signal.SIGXCPU or ended.cpu > most)
    if number in (signal.SIGXCPU, signal.SIGKILL) and used_up:
        return LimitExceeded(
            f"The process used more processor time than cpu_seconds={most}"
            f" allows, and was ended by {name}."
        )
    limit = f"; its limit is memory_mb={options.memory_mb}" if options.memory_mb else ""
    return ProcessDied(
        f"The process was ended by {name}. It had up to {ended.rss // 1024} MB in memory{limit}."
    )
