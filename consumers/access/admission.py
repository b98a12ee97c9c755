"""An admission: by what somebody was let in, to be asked again while they are there."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from consumers.access.visitor import expired, revoked
from consumers.refusal import Refusal
from tasks.engine import store
from tasks.grants import Grant

if TYPE_CHECKING:
    from consumers.access.identity import Identity

__all__ = ["Admission", "lapsed", "outdated"]


@dataclass(frozen=True, slots=True, eq=False)
class Admission:
    """To one run for one action: by a grant, or as somebody whom AUTHZ allows it.

    Without a run: to a connection, on which they may ask for runs as who they are.
    """

    identity: "Identity | None" = None
    grant: Grant | None = None
    run_id: UUID | None = None
    action: str = ""


def outdated(admissions: Collection[Admission]) -> dict[Admission, Refusal]:
    """Those whose grant has expired: for that nobody need be asked."""
    return {one: expired() for one in admissions if one.grant is not None and one.grant.expired}


def lapsed(admissions: Collection[Admission]) -> dict[Admission, Refusal]:
    """Those that somebody has ended, whatever AUTHZ says, and why.

    It queries: for all sessions, all users and all grants at once.
    """
    from consumers.access.identity import gone

    out = gone({one.identity for one in admissions if one.identity is not None})
    granted = {one.grant.run_id for one in admissions if one.grant is not None}
    revocations = store.grants_revoked(granted) if granted else {}
    found: dict[Admission, Refusal] = {}
    for one in admissions:
        if one.identity in out:
            message = "You were logged out, or your account was closed."
            found[one] = Refusal(401, "not_authenticated", message)
        elif one.grant is not None and one.grant.series != revocations.get(one.grant.run_id):
            found[one] = revoked()
    return found
