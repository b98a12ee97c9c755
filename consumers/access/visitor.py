"""Who asks: a user, or whoever shows a grant."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from consumers.access.identity import Identity
from consumers.refusal import Refusal
from tasks import grants
from tasks.conf import conf
from tasks.exceptions import InvalidGrant
from tasks.grants import Grant

if TYPE_CHECKING:
    from consumers.access.rule import User

__all__ = ["Visitor", "expired", "revoked"]

_KINDS = len(grants.GRANTABLE)


class Visitor:
    """Gives the user when called, which may query.

    Who begins by showing grants is let in by them or not at all: no cookie counts, and so
    no page can make use of one. Who comes as a user may be given grants later.
    """

    def __init__(
        self,
        user: "Callable[[], User]",
        session: Callable[[], Any] = lambda: None,
        shown: Sequence[str] = (),
    ) -> None:
        self.session = session
        #: Comes with grants alone.
        self.by_grant = bool(shown)
        self._user = user
        self._unread = list(shown)
        self._grants: dict[tuple[UUID, str], Grant] = {}

    def __call__(self) -> "User":
        return self._user()

    def identity(self) -> Identity | None:
        """Who they are, if that counts. It queries."""
        return None if self.by_grant else Identity.of(self(), self.session())

    def check(self) -> None:
        """Read what was shown; a :class:`Refusal` if it is no grant of ours, or was one."""
        while self._unread:
            self.keep(self.read(self._unread.pop()))

    def read(self, text: object) -> Grant:
        try:
            grant = grants.read(text if isinstance(text, str) else "")
        except InvalidGrant as error:
            raise _unauthorised("bad_grant", str(error)) from None
        if grant.expired:
            raise expired()
        return grant

    def keep(self, grant: Grant) -> None:
        """Have it from now on, in the place of one for the same."""
        key = (grant.run_id, grant.action)
        if key not in self._grants and len(self._grants) >= conf().subscriptions * _KINDS:
            raise Refusal(429, "too_many", "These are more grants than a WebSocket may have.")
        self._grants[key] = grant

    def grant(self, run_id: UUID, action: str) -> Grant | None:
        """The grant for it; None if the user is to be asked for. Else a :class:`Refusal`."""
        self.check()
        found = self._grants.get((run_id, action))
        if found is None and self.by_grant:
            raise Refusal(403, "forbidden", "The grant is for another run, or another action.")
        if found is not None and found.expired:
            raise expired()
        return found


def expired() -> Refusal:
    return _unauthorised("grant_expired", "The grant has expired: get another one.")


def revoked() -> Refusal:
    return _unauthorised("grant_revoked", "The grant was revoked.")


def _unauthorised(code: str, message: str) -> Refusal:
    return Refusal(401, code, message, {"WWW-Authenticate": "Bearer"})
