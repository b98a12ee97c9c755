"""Who may do what: ``HEADWAY["AUTHZ"]``, or the default rule. Only ``True`` allows."""

import logging
from collections.abc import Awaitable, Callable
from enum import StrEnum
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, NamedTuple

from asgiref.sync import sync_to_async
from django.utils.module_loading import import_string

from consumers.refusal import Refusal
from tasks.conf import conf
from tasks.engine import store
from tasks.exceptions import MalformedRunId, RunDoesNotExist
from tasks.ids import parse_run_id
from tasks.models import TaskRun

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser

    User = AbstractBaseUser | AnonymousUser

__all__ = ["Access", "Action", "admit", "allows", "default_rule"]

#: How to call from a coroutine what queries.
InThread = Callable[..., Callable[..., Awaitable[Any]]]

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

    *user* may query; it is called in a thread. Outside of a request, whose end closes
    its connections, *in_thread* must be ``database_sync_to_async``.
    """
    answer: tuple[Access, object] = await in_thread(_ask)(user, run, action)
    access, verdict = answer
    if not await _is_yes(verdict, action):
        raise _denial(access.user)
    return access


async def allows(user: "User", run: TaskRun, action: Action) -> bool:
    """Whether they may."""
    _, verdict = await sync_to_async(_ask)(lambda: user, run, action)
    return await _is_yes(verdict, action)


def _ask(
    get_user: "Callable[[], User]", wanted: str | TaskRun, action: Action
) -> tuple[Access, object]:
    """All that may query, in one visit to the thread: user, run, and a sync rule."""
    user = get_user()
    run = wanted if isinstance(wanted, TaskRun) else _fetch(wanted)
    try:
        verdict = _rule()(user, run, action)
    except Exception:
        logger.exception("AUTHZ failed on %r, which denies it.", str(action))
        verdict = False
    return Access(user, run), verdict


async def _is_yes(verdict: object, action: Action) -> bool:
    if isawaitable(verdict):
        try:
            verdict = await verdict
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


def _fetch(run_id: str) -> TaskRun:
    try:
        return store.fetch_run(parse_run_id(run_id))
    except MalformedRunId as error:
        raise Refusal(400, "malformed_id", str(error)) from None
    except RunDoesNotExist:
        raise Refusal(404, "no_such_run", "There is no run with this id.") from None


def _denial(user: "User") -> Refusal:
    if user.is_authenticated:
        return Refusal(403, "forbidden", "You may not do this with this run.")
    return Refusal(401, "not_authenticated", "Log in first: nobody else may do this.")
