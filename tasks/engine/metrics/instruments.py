"""What the engine counts and measures in this process.

Labels are bounded by what the code says: a task is a function, and a queue is named in a
program. Where there is a histogram, which is a dozen series, it has the queue alone.
"""

import time
from functools import cache
from typing import TYPE_CHECKING, Protocol

from tasks.engine.metrics.library import counter, histogram
from tasks.states import Ending

if TYPE_CHECKING:
    from tasks.engine.store import Claim

__all__ = [
    "attempt_seconds",
    "attempts",
    "begun",
    "committed",
    "ended",
    "enqueued",
    "failures",
    "loop_lag",
    "published",
    "renewal_failures",
    "rescued",
    "wait_seconds",
]

# Seconds. Tasks take from milliseconds to days, and waits are as long as a backlog.
_LONG = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 7200, 86400)
_SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)

enqueued = counter("headway_runs_enqueued", "Runs stored, committed or not", ["queue"])
wait_seconds = histogram(
    "headway_run_wait_seconds",
    "From when a run could be claimed to its claim; the count is that of claims",
    _LONG,
    ["queue"],
)
attempts = counter(
    "headway_attempts",
    "Attempts that ended here: how, and what the run became by that",
    ["task", "queue", "ending", "status"],
)
attempt_seconds = histogram(
    "headway_attempt_duration_seconds", "From an attempt's claim to its end", _LONG, ["queue"]
)
events = counter("headway_events_committed", "Events of runs written to the database")
published = counter("headway_events_published", "Events handed to the Channels layer")
commit_seconds = histogram("headway_commit_duration_seconds", "The journal's transactions", _SHORT)
renewal_failures = counter("headway_lease_renewal_failures", "Leases could not be renewed")
rescued = counter("headway_runs_rescued", "Runs of dead processes taken back by this one")
failures = counter("headway_failures", "Failures of what is then tried again", ["what"])
loop_lag = histogram(
    "headway_event_loop_lag_seconds", "How late the event loop was when it was to wake up", _SHORT
)

# Looked up for every run: the library takes three times as long to find a child as to add to it.
_attempts = cache(attempts.labels)
_attempt_seconds = cache(attempt_seconds.labels)
_wait_seconds = cache(wait_seconds.labels)


class Attempt(Protocol):
    """What is measured of one."""

    claim: "Claim"
    began: float


def begun(claim: "Claim") -> None:
    """A run was claimed."""
    _wait_seconds(claim.queue_name).observe(max(0.0, claim.waited))


def committed(events_: int, seconds: float) -> None:
    """A transaction of the journal's has gone through."""
    events.inc(events_)
    commit_seconds.observe(seconds)


def ended(attempt: Attempt, ending: Ending, status: str = "") -> None:
    """An attempt is over; *status* is what the run becomes, if that is for us to say."""
    claim = attempt.claim
    _attempts(claim.task, claim.queue_name, ending, status).inc()
    _attempt_seconds(claim.queue_name).observe(time.monotonic() - attempt.began)
