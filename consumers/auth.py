"""Who may do what: ``HEADWAY["AUTHZ"]``, or the default rule; or a grant. Only ``True`` allows."""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from concurrent.futures import Executor
from enum import StrEnum
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from uuid import UUID

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import InterfaceError, OperationalError
from django.utils.module_loading import import_string

from consumers.admission import Admission
from consumers.refusal import Refusal
from consumers.visitor import Visitor, revoked
from tasks.conf import conf
from tasks.engine import store
from tasks.exceptions import MalformedRunId, RunDoesNotExist
from tasks.grants import Grant
from tasks.ids import parse_run_id
from tasks.models import TaskRun

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from consumers.identity import Identity
    from tasks.engine.threads import DatabaseThread

    User = AbstractBaseUser | AnonymousUser

__all__ = [
    "Access",
    "Action",
    "Onlooker",
    "admit",
    "admit_to_list",
    "allows",
    "default_rule",
    "denied",
    "granted",
    "narrowed",
    "visible",
]

#: How to call from a coroutine what queries.
InThread = Callable[..., Callable[..., Awaitable[Any]]]

#: What AUTHZ is asked of somebody who is there.
Question = tuple["Identity", UUID, str]

logger = logging.getLogger("headway.auth")


class Action(StrEnum):
    """What somebody wants to do with a run."""

    VIEW = "view"  # its current state
    STREAM = "stream"  # its events
    ENQUEUE = "enqueue"  # a new run, which is not stored yet, or the same once more
    STOP = "stop"  # and kill


class Access(NamedTuple):
    """An allowed request: who, and which run."""

    user: "User"
    run: TaskRun
    #: For who stays: what their stream is held by.
    admission: Admission


def default_rule(user: "User", run: TaskRun, action: Action) -> bool:
    """Staff may everything, a logged-in user what they enqueued, anonymous nothing.

    A run that is to be enqueued belongs to nobody yet, so enqueueing is for staff.
    """
    if not user.is_authenticated:
        return False
    if getattr(user, "is_staff", False):
        return True
    return run.user_id is not None and run.user_id == user.pk


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
    access, verdict = answer
    if not await _is_yes(verdict, action):
        raise _denial(access.user)
    return access


async def allows(user: "User", run: TaskRun, action: Action) -> bool:
    """Whether they may."""
    _, verdict = await sync_to_async(_ask)(Visitor(lambda: user), run, action)
    return await _is_yes(verdict, action)


class Onlooker(NamedTuple):
    """Who asks for runs, each of which AUTHZ decides about."""

    user: "User"
    admission: Admission


def admit_to_list(visitor: Visitor) -> Onlooker:
    """Who asks; a refusal if AUTHZ can allow them none. A grant is for one run, so it gives none."""
    from django.contrib.auth.models import AnonymousUser

    identity = visitor.identity()
    user = identity.user if identity else AnonymousUser()
    if _rule() is default_rule and not user.is_authenticated:
        raise _denial(user)
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
            if await _is_yes(verdicts.pop(0), Action.VIEW):
                found.append(run)
    finally:
        for verdict in verdicts:
            if isinstance(verdict, Coroutine):
                verdict.close()
    return found


def narrowed(user: "User", runs: "QuerySet[TaskRun]") -> "QuerySet[TaskRun]":
    """*runs* without some that they may not see: those a query can leave out.

    A rule may have a function ``narrow(user, runs)`` as an attribute that does so. What it
    lets pass is still asked for, one by one.
    """
    narrow = getattr(_rule(), "narrow", None)
    found: QuerySet[TaskRun] = runs if narrow is None else narrow(user, runs)
    return found


def _own(user: "User", runs: "QuerySet[TaskRun]") -> "QuerySet[TaskRun]":
    if not user.is_authenticated:
        return runs.none()
    return runs if getattr(user, "is_staff", False) else runs.filter(user=user.pk)


default_rule.narrow = _own  # type: ignore[attr-defined]


def _ask_for_all(user: "User", runs: Sequence[TaskRun]) -> list[object]:
    return [_verdict(user, run, Action.VIEW) for run in runs]


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
        for question, verdict in await sync_to_async(_ask_all)(list(groups)):
            if not await _is_yes(verdict, question[2]):
                found |= {one: _denial(question[0].user) for one in groups[question]}
    return found


def _ask_all(questions: list[Question]) -> list[tuple[Question, object]]:
    """What a sync rule says, or an awaitable. A run that is gone ends its streams by itself."""
    runs = store.rows({run_id for _, run_id, _ in questions})
    return [
        (question, _verdict(question[0].user, runs[question[1]], question[2]))
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
        return access, _verdict(user, run, action)
    if grant.series != run.grants_revoked:
        raise revoked()
    return Access(user, run, Admission(None, grant, run_id, action)), True


def _verdict(user: "User", run: TaskRun, action: str) -> object:
    try:
        return _rule()(user, run, action)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("AUTHZ failed on %r, which denies it.", str(action))
        return False


async def _is_yes(verdict: object, action: str) -> bool:
    if isawaitable(verdict):
        try:
            verdict = await verdict
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("AUTHZ failed on %r, which denies it.", str(action))
            return False
    # An unawaited coroutine, a queryset or a "no" is true enough for `if`.
    return verdict is True


def _rule() -> Callable[..., Any]:
    rule = conf().authz
    if rule is None:
        return default_rule
    found: Callable[..., Any] = import_string(rule) if isinstance(rule, str) else rule
    return found


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


def _denial(user: "User") -> Refusal:
    if user.is_authenticated:
        return Refusal(403, "forbidden", "You may not do this with this run.")
    return Refusal(401, "not_authenticated", "Log in first: nobody else may do this.")
