"""Letting somebody have a run: by the rule, or by a grant."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from uuid import UUID

from asgiref.sync import ThreadSensitiveContext, sync_to_async

from consumers.access.admission import Admission
from consumers.access.rule import Action, default_rule, denial, is_yes, verdict
from consumers.access.visitor import Visitor, revoked
from consumers.refusal import Refusal
from tasks.engine import store
from tasks.exceptions import MalformedRunId, RunDoesNotExist
from tasks.grants import Grant
from tasks.ids import parse_run_id
from tasks.models import TaskRun

if TYPE_CHECKING:
    from consumers.access.identity import Identity
    from consumers.access.rule import User
    from tasks.engine.process.threads import DatabaseThread

__all__ = ["Access", "Action", "InThread", "admit", "allows", "default_rule", "denied", "granted"]

#: How to call from a coroutine what queries.
InThread = Callable[..., Callable[..., Awaitable[Any]]]

#: What AUTHZ is asked of somebody who is there.
Question = tuple["Identity", UUID, str]


class Access(NamedTuple):
    """An allowed request: who, and which run."""

    user: "User"
    run: TaskRun
    #: For who stays: what their stream is held by.
    admission: Admission


async def admit(
    user: "Callable[[], User]",
    run: str | TaskRun,
    action: Action,
    in_thread: InThread = sync_to_async,
) -> Access:
    """Let them have the run, given by its id or itself, or raise a :class:`Refusal`.

    *user* is a :class:`Visitor`, or gives a user. It may query; it is called in a thread.
    Outside of a request, whose end closes its connections, *in_thread* must be
    ``database_sync_to_async``.
    """
    visitor = user if isinstance(user, Visitor) else Visitor(user)
    answer: tuple[Access, object] = await in_thread(_ask)(visitor, run, action)
    access, said = answer
    if not await is_yes(said, action):
        raise denial(access.user)
    return access


async def allows(user: "User", run: TaskRun, action: Action) -> bool:
    """Whether they may."""
    _, said = await sync_to_async(_ask)(Visitor(lambda: user), run, action)
    return await is_yes(said, action)


async def denied(
    admissions: Collection[Admission], thread: "DatabaseThread"
) -> dict[Admission, Refusal]:
    """Those that AUTHZ no longer allows. What queries does so in *thread*.

    Asked once for all streams of a user on a run. A database that cannot be reached is no
    answer, and raised.
    """
    groups: defaultdict[Question, list[Admission]] = defaultdict(list)
    for one in admissions:
        if one.identity is not None and one.run_id is not None:
            groups[one.identity, one.run_id, one.action].append(one)
    found: dict[Admission, Refusal] = {}
    # An async rule's own queries would hold up all that share the loop's one thread.
    async with ThreadSensitiveContext(executor=cast(Executor, thread)):
        for question, said in await sync_to_async(_ask_all)(list(groups)):
            if not await is_yes(said, question[2]):
                found |= {one: denial(question[0].user) for one in groups[question]}
    return found


def _ask_all(questions: list[Question]) -> list[tuple[Question, object]]:
    """What a sync rule says, or an awaitable. A run that is gone ends its streams by itself."""
    runs = store.rows({run_id for _, run_id, _ in questions})
    return [
        (question, verdict(question[0].user, runs[question[1]], question[2]))
        for question in questions
        if question[1] in runs
    ]


def granted(visitor: Visitor, text: object) -> Grant:
    """Let the visitor have a grant that they say. It queries."""
    grant = visitor.read(text)
    if _fetch(grant.run_id).grants_revoked != grant.series:
        raise revoked()
    visitor.keep(grant)
    return grant


def _ask(visitor: Visitor, wanted: str | TaskRun, action: Action) -> tuple[Access, object]:
    """All that may query, in one visit to the thread: user, run, and a sync rule."""
    from django.contrib.auth.models import AnonymousUser

    run_id = wanted.pk if isinstance(wanted, TaskRun) else _parsed(wanted)
    grant = visitor.grant(run_id, action)
    identity = visitor.identity() if grant is None else None
    user = identity.user if identity else AnonymousUser()
    run = wanted if isinstance(wanted, TaskRun) else _fetch(run_id)
    if grant is None:
        access = Access(user, run, Admission(identity, None, run_id, action))
        return access, verdict(user, run, action)
    if grant.series != run.grants_revoked:
        raise revoked()
    return Access(user, run, Admission(None, grant, run_id, action)), True


def _parsed(run_id: str) -> UUID:
    try:
        return parse_run_id(run_id)
    except MalformedRunId as error:
        raise Refusal(400, "malformed_id", str(error)) from None


def _fetch(run_id: UUID) -> TaskRun:
    try:
        return store.fetch_run(run_id)
    except RunDoesNotExist:
        raise Refusal(404, "no_such_run", "There is no run with this id.") from None
