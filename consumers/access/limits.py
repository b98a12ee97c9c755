"""How many streams a process serves at once, and how fast they and their clients may come.

Every limit costs a look into a dict. Who is over one is asked to come again later: with 503
and ``Retry-After`` over HTTP, with 4429 over a WebSocket.
"""

import math
import random
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any

from consumers import delivered
from consumers.access.address import address_in
from consumers.access.bucket import Bucket, Buckets
from consumers.asgi import Scope
from consumers.refusal import TooMany
from tasks.conf import conf

if TYPE_CHECKING:
    from consumers.access.rule import User

__all__ = ["Limits", "Pace", "Seat", "get_limits"]

# Seconds over which those who are refused together come again.
_SPREAD = 5

_SAID = {
    "process": "This process has as many streams open as it may.",
    "address": "Your address has as many streams open as it may.",
    "user": "You have as many streams open as you may.",
    "connects": "Your address opens streams faster than it may.",
    "messages": "You say more than you may.",
}


class Limits:
    """The open streams of this process, counted."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], int] = {}
        self._connects = Buckets()

    def held(self, what: str, key: str = "") -> int:
        """How many seats are held by it."""
        return self._held.get((what, key), 0)

    def enter(self, scope: Scope, transport: str) -> "Seat":
        """A seat for a stream that is asked for; or a :class:`TooMany`."""
        address = address_in(scope)
        rate = conf().connect_rate
        if address and rate and (wait := self._connects.take(address, rate, monotonic())):
            raise _refusal("connects", wait)
        seat = Seat(self, transport)
        try:
            seat.hold("process", "", conf().streams)
            if address:
                seat.hold("address", address, conf().address_streams)
        except BaseException:
            seat.release()
            raise
        return seat

    def hold(self, what: str, key: str, most: int) -> bool:
        """One more of it, unless there are *most*; 0 is no limit."""
        now = self._held.get((what, key), 0)
        if most and now >= most:
            return False
        self._held[what, key] = now + 1
        return True

    def free(self, what: str, key: str) -> None:
        """One less. What has none is forgotten."""
        left = self._held[what, key] - 1
        if left:
            self._held[what, key] = left
        else:
            del self._held[what, key]


class Seat:
    """A stream's place in every count that it is part of. They go up and down with it alone.

    The end of a ``with`` block releases it, unless it was kept there for later.
    """

    def __init__(self, limits: Limits, transport: str) -> None:
        self._kept = False
        self._limits = limits
        self._held: list[tuple[str, str]] = []
        self._open: Any = delivered.connections.labels(transport)
        self._open.inc()

    def hold(self, what: str, key: str, most: int) -> None:
        if self._open is None:
            return  # it was given up meanwhile: nobody would take this back
        if not self._limits.hold(what, key, most):
            raise _refusal(what)
        self._held.append((what, key))

    def hold_for(self, user: "User | None") -> None:
        """Count it to who has logged in; nobody is counted by their address alone."""
        if user is not None and user.is_authenticated:
            self.hold("user", str(user.pk), conf().user_streams)

    def keep(self) -> "Seat":
        """Somebody else releases it."""
        self._kept = True
        return self

    def release(self) -> None:
        """Safe to call twice."""
        if self._open is None:
            return
        self._open.dec()
        self._open = None
        for what, key in self._held:
            self._limits.free(what, key)

    def __enter__(self) -> "Seat":
        return self

    def __exit__(self, *_: object) -> None:
        if not self._kept:
            self.release()


class Pace:
    """How fast one client talks."""

    def __init__(self) -> None:
        self._bucket = Bucket()

    def step(self) -> None:
        """It says something; a :class:`TooMany` if that is too soon."""
        rate = conf().message_rate
        if rate and (wait := self._bucket.take(rate, monotonic())):
            raise _refusal("messages", wait)


def _refusal(why: str, wait: float = 0.0) -> TooMany:
    delivered.refused.labels(why).inc()
    # Not all at the same moment.
    return TooMany(_SAID[why], math.ceil(wait) + random.randint(1, _SPREAD))


@cache
def get_limits() -> Limits:
    """The limits of this process."""
    return Limits()
