"""The rule of who may do what: ``HEADWAY["AUTHZ"]``, or the default one. Only ``True`` allows."""

import logging
from collections.abc import Callable
from enum import StrEnum
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError
from django.utils.module_loading import import_string

from consumers.refusal import Refusal
from tasks.conf import conf
from tasks.models import TaskRun

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    User = AbstractBaseUser | AnonymousUser

__all__ = ["Action", "default_rule", "denial", "is_yes", "rule", "verdict"]

logger = logging.getLogger("headway.auth")


class Action(StrEnum):
    """What somebody wants to do with a run."""

    VIEW = "view"  # its current state
    STREAM = "stream"  # its events
    ENQUEUE = "enqueue"  # a new run, which is not stored yet, or the same once more
    STOP = "stop"  # and kill
    SEND = "send"  # a message to it


def default_rule(user: "User", run: TaskRun, action: Action) -> bool:
    """Staff may everything, a logged-in user what they enqueued, anonymous nothing.

    A run that is to be enqueued belongs to nobody yet, so enqueueing is for staff.
    """
    if not user.is_authenticated:
        return False
    if getattr(user, "is_staff", False):
        return True
    return run.user_id is not None and run.user_id == user.pk


def _own(user: "User", runs: "QuerySet[TaskRun]") -> "QuerySet[TaskRun]":
    if not user.is_authenticated:
        return runs.none()
    return runs if getattr(user, "is_staff", False) else runs.filter(user=user.pk)


default_rule.narrow = _own  # type: ignore[attr-defined]


def verdict(user: "User", run: TaskRun, action: str) -> object:
    try:
        return rule()(user, run, action)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("AUTHZ failed on %r, which denies it.", str(action))
        return False


async def is_yes(verdict: object, action: str) -> bool:
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


def rule() -> Callable[..., Any]:
    given = conf().authz
    if given is None:
        return default_rule
    found: Callable[..., Any] = import_string(given) if isinstance(given, str) else given
    return found


def denial(user: "User") -> Refusal:
    if user.is_authenticated:
        return Refusal(403, "forbidden", "You may not do this with this run.")
    return Refusal(401, "not_authenticated", "Log in first: nobody else may do this.")
