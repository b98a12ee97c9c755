"""Who a user is to us: what may change about them while they watch."""

from collections.abc import Collection
from copy import copy
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.utils import timezone

if TYPE_CHECKING:
    from consumers.access.rule import User

__all__ = ["Identity", "gone"]


class Identity:
    """A user, and the session by which they are known; one object for all their streams."""

    def __init__(self, user: "User", session_key: str | None, proof: str) -> None:
        #: As last read.
        self.user = user
        self.session_key = session_key
        #: What Django compares to end the sessions of a password that was changed.
        self.proof = proof
        self.was_active = bool(getattr(user, "is_active", True))

    @property
    def pk(self) -> Any:
        """Of the user's row, if there is one."""
        return self.user.pk if isinstance(self.user, get_user_model()) else None

    @classmethod
    def of(cls, user: "User", session: Any) -> "Identity":
        """In a thread that may query. What *user* wraps is kept, or it would keep its request."""
        is_authenticated = user.is_authenticated  # what is lazy is read by that
        user = getattr(user, "_wrapped", user)
        is_row = isinstance(user, get_user_model()) and user.pk is not None
        bound = is_row and session is not None and _names(session, user)
        proof = _proof(user) if bound else ""
        made = cls(user, session.session_key if bound and _checks() else None, proof)
        if _extras(user) or (is_authenticated and not is_row):
            return made  # there is nobody else like them
        key = (type(user), user.pk, made.session_key, proof, made.was_active)
        known = _known.setdefault(key, made)
        known.user = user  # read just now
        return known


_known: WeakValueDictionary[Any, Identity] = WeakValueDictionary()


def gone(identities: Collection[Identity]) -> set[Identity]:
    """Those who are logged out, deactivated or deleted; the users of the others are read anew.

    A query for all users and one for all sessions, whatever their number.
    """
    asked = [identity for identity in identities if identity.pk is not None]
    users = get_user_model()._default_manager.in_bulk({one.pk for one in asked}) if asked else {}
    keys = {one.session_key for one in asked if one.session_key}
    alive = _alive(keys) if keys else keys
    found: set[Identity] = set()
    for one in asked:
        user = users.get(one.pk)
        logged_out = one.session_key and one.session_key not in alive
        if logged_out or user is None or _barred(one, user):
            found.add(one)
        else:
            one.user = _renewed(user, one.user)
    return found


def _alive(keys: set[str]) -> set[str]:
    from django.contrib.sessions.backends.cache import SessionStore as Cached
    from django.core.cache import caches

    store = _store()
    if issubclass(store, Cached):
        names = {store.cache_key_prefix + key: key for key in keys}
        return {names[name] for name in caches[settings.SESSION_CACHE_ALIAS].get_many(names)}
    sessions = store.get_model_class()._default_manager.only("session_key")
    return set(sessions.filter(expire_date__gt=timezone.now()).in_bulk(keys))


def _checks() -> bool:
    """Whether many sessions can be asked for at once: those in the database, or in the cache."""
    from django.contrib.sessions.backends.cache import SessionStore as Cached
    from django.contrib.sessions.backends.db import SessionStore as Stored

    return issubclass(_store(), Stored | Cached)


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _names(session: Any, user: Any) -> bool:
    """Whether they are logged in by this session, and not by a token for example."""
    return bool(session.get(SESSION_KEY) == user._meta.pk.value_to_string(user))


def _proof(user: Any) -> str:
    return user.get_session_auth_hash() if hasattr(user, "get_session_auth_hash") else ""


def _barred(identity: Identity, user: Any) -> bool:
    """Whether they were deactivated, or the password changed by which they had logged in."""
    deactivated = identity.was_active and not user.is_active
    return deactivated or (bool(identity.proof) and _proof(user) != identity.proof)


def _renewed(user: Any, before: Any) -> Any:
    """The user, with what the project's middleware had put there for AUTHZ to see."""
    if extras := _extras(before):
        user = copy(user)
        vars(user).update(extras)
    return user


def _extras(user: Any) -> dict[str, Any]:
    """All but columns, what they know of themselves, and what Django's login adds."""
    return {
        name: value
        for name, value in vars(user).items()
        if name[0] != "_" and name != "backend" and not hasattr(type(user), name)
    }
