"""Grants: signed permission to do one thing with one run, for a while.

A grant is a text that stands for itself: whoever has it may. Its letters are such that it
fits, as it is, a URL, a header and the name of a WebSocket's subprotocol, and
its beginning says what it is, wherever it turns up.
"""

from time import time
from typing import Final, NamedTuple
from uuid import UUID

from django.core.signing import BadSignature, Signer

from tasks.conf import conf
from tasks.exceptions import InvalidGrant

__all__ = ["GRANTABLE", "PREFIX", "Grant", "make", "read"]

PREFIX: Final = "hwg_"

#: What a grant can be for. Enqueueing makes runs that somebody has to answer for.
GRANTABLE: Final = ("view", "stream", "stop")


class Grant(NamedTuple):
    """What a grant says, without what proves it."""

    run_id: UUID
    action: str
    #: How often the run's grants had been revoked when it was made.
    series: int
    #: Unix time in seconds.
    expires: float

    @property
    def expired(self) -> bool:
        return time() >= self.expires


def make(run_id: UUID, action: str, series: int, lifetime: float | None) -> str:
    """A grant that holds for *lifetime* seconds, ``HEADWAY["GRANT"]`` if None."""
    if action not in GRANTABLE:
        raise ValueError(f"A grant is for one of {', '.join(GRANTABLE)}, not for {action!r}.")
    longest = conf().grant_max
    seconds = min(conf().grant, longest) if lifetime is None else lifetime
    if not 0 < seconds <= longest:
        raise ValueError(f"A grant may hold for up to {longest:g} seconds, not for {seconds!r}.")
    said = [run_id.hex, str(action), series, round(time() + seconds, 3)]
    return PREFIX + _signer().sign_object(said)


def read(text: str) -> Grant:
    """What a grant says, expired or not; :class:`InvalidGrant` if we have not made it."""
    try:
        if not text.startswith(PREFIX):
            raise InvalidGrant
        run_id, action, series, expires = _signer().unsign_object(text.removeprefix(PREFIX))
    except (BadSignature, ValueError):  # the latter of what somebody else signed with our key
        raise InvalidGrant from None
    return Grant(UUID(hex=run_id), action, series, expires)


def _signer() -> Signer:
    # A colon, Django's own separator, is none of a subprotocol's letters (RFC 6455, section 4.1).
    return Signer(salt="headway.grant", sep=".")
