"""One attempt at a run, as this process holds it."""

import asyncio
import math
import time
from collections.abc import Callable
from enum import StrEnum

import anyio

from tasks.codec import decode
from tasks.engine.attempts.inbox import Inbox
from tasks.engine.attempts.text import Text
from tasks.engine.attempts.tracing import OFF
from tasks.engine.store import Change, Claim
from tasks.events import Event
from tasks.exceptions import RunCancelled, RunLost
from tasks.logs import Origin
from tasks.states import RunStatus
from tasks.surroundings.circumstances import Circumstances

__all__ = ["Attempt", "Cause"]


class Cause(StrEnum):
    """Who ended an attempt before its function did. The first one stays."""

    STOP = "stop"
    KILL = "kill"
    TIMEOUT = "timeout"
    DRAIN = "drain"  # the process is going away
    LOST = "lost"  # the run is another process's


class Attempt:
    """The state of one attempt between its claim and its last commit.

    The journal's lock guards what threads touch: ``next_seq``, ``pending``,
    ``text``, ``progress``, ``ignored``, ``change`` and ``closed``. The rest belongs to the
    event loop.
    """

    def __init__(self, claim: Claim, leased_until: float = math.inf) -> None:
        self.claim = claim
        self.circumstances: Circumstances = decode(claim.context)
        self.origin = Origin.of(claim, self.circumstances)
        #: By ``time.monotonic()``: from then on another process may have the run.
        self.leased_until = leased_until
        self.trace = OFF
        self.began = time.monotonic()
        self.next_seq = claim.started.seq + 1
        self.pending: list[Event] = []
        self.text = Text()
        self.progress: str | None = None
        #: It has gone on for the grace period after a stop, and that is not written yet.
        self.ignored = False
        self.change: Change | None = None
        #: Nothing more may be written: the end is written, or the run is lost.
        self.closed = False
        self.cause: Cause | None = None
        #: Its end is written soon, whatever its function does.
        self.killed = False
        #: Its code has asked how many watch; how many that are, as far as is known.
        self.curious = False
        self.watchers = 0
        #: The function runs in a thread: asked to end, it is waited for, not interrupted.
        self.cooperative = False
        #: Asks a process of its own to end; what ignores that is ended after the grace period.
        self.ask: Callable[[], None] | None = None
        #: Made when its code listens for the first time.
        self.inbox: Inbox | None = None
        self.scope: anyio.CancelScope | None = None
        #: Done when the last write is committed, or refused.
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __repr__(self) -> str:
        return f"attempt {self.claim.attempt} of run {self.claim.run_id} ({self.claim.task})"

    @property
    def expired(self) -> bool:
        """Whether the lease may be over. Any thread may ask: it takes nobody's answer."""
        return time.monotonic() >= self.leased_until

    @property
    def ending(self) -> bool:
        """Whether the function has been asked to end. Any thread may read it."""
        return self.cause is not None or self.expired

    @property
    def comes_again(self) -> bool:
        """Whether it has ended and its run is to be claimed once more."""
        return self.change is not None and self.change.status == RunStatus.READY

    def listen(self, inbox: Inbox) -> None:
        """Have messages to the run brought to *inbox*, from the first one on. Any thread."""
        self.inbox = inbox
        if self.ending:
            inbox.interrupt()

    def check_open(self) -> None:
        """Raise what a function is told that emits when nothing may be written any more."""
        if self.expired or (self.closed and self.cause is Cause.LOST):
            raise RunLost(f"{self!r} lost its lease; what it emits now is dropped.")
        if self.closed:
            raise RunCancelled(f"{self!r} is over; it can emit nothing more.")

    def cancel(self, cause: Cause) -> None:
        """End the attempt: a coroutine is cancelled, a thread finds ``cancel_requested`` set,
        a process is asked."""
        if self.cause is None:
            self.cause = cause
        if self.inbox is not None:
            self.inbox.interrupt()
        if self.ask is not None and cause is Cause.STOP:
            self.ask()
            return
        asked = self.cooperative and cause in (Cause.STOP, Cause.DRAIN)
        if self.scope is not None and not asked:
            self.scope.cancel(reason=f"{cause} of {self!r}")
