"""Looking at many runs: each of them is AUTHZ's to decide about."""

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, NamedTuple

from asgiref.sync import sync_to_async

from consumers.access.admission import Admission
from consumers.access.auth import InThread
from consumers.access.rule import Action, default_rule, denial, is_yes, rule, verdict
from consumers.access.visitor import Visitor
from tasks.models import TaskRun

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from consumers.access.rule import User

__all__ = ["Onlooker", "admit_to_list", "narrowed", "visible"]


class Onlooker(NamedTuple):
    """Who asks for runs, each of which AUTHZ decides about."""

    user: "User"
    admission: Admission


def admit_to_list(visitor: Visitor) -> Onlooker:
    """Who asks; a refusal if AUTHZ can allow them none. A grant is for one run alone."""
    from django.contrib.auth.models import AnonymousUser

    identity = visitor.identity()
    user = identity.user if identity else AnonymousUser()
    if rule() is default_rule and not user.is_authenticated:
        raise denial(user)
    return Onlooker(user, Admission(identity))


async def visible(
    user: "User", runs: Sequence[TaskRun], in_thread: InThread = sync_to_async
) -> list[TaskRun]:
    """Those of *runs* whose state they may see. Each is asked for; see :func:`admit`."""
    if not runs:
        return []
    verdicts: list[object] = await in_thread(_ask_for_all)(user, runs)
    found = []
    try:
        for run in runs:
            if await is_yes(verdicts.pop(0), Action.VIEW):
                found.append(run)
    finally:
        for unasked in verdicts:
            if isinstance(unasked, Coroutine):
                unasked.close()
    return found


def narrowed(user: "User", runs: "QuerySet[TaskRun]") -> "QuerySet[TaskRun]":
    """*runs* without some that they may not see: those a query can leave out.

    A rule may have a function ``narrow(user, runs)`` as an attribute that does so. What it
    lets pass is still asked for, one by one.
    """
    narrow = getattr(rule(), "narrow", None)
    found: QuerySet[TaskRun] = runs if narrow is None else narrow(user, runs)
    return found


def _ask_for_all(user: "User", runs: Sequence[TaskRun]) -> list[object]:
    return [verdict(user, run, Action.VIEW) for run in runs]
