"""A handle of a run that is there once a transaction has been committed."""

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction

from tasks.exceptions import NotCommitted, RolledBack

if TYPE_CHECKING:
    # To a type checker it is one: it has all of a Handle's attributes, after the commit.
    from tasks.handles.handle import Handle as _Handle
else:
    _Handle = object

__all__ = ["DeferredHandle"]


class _Hook:
    """What Django calls after the commit. It drops it on a rollback, also of a savepoint.

    Nothing else holds it, so a handle whose hook is gone, and was not called, is of a
    transaction that was rolled back. Or another hook failed before: Django drops the rest.
    """

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def __call__(self) -> None:
        self._then()


class DeferredHandle(_Handle):
    """What ``enqueue_on_commit`` returns. It has its name at once, all else after the commit.

    Until then, whatever is asked of it raises :class:`NotCommitted`; after a rollback
    :class:`RolledBack`. From the commit on it answers as its :class:`Handle` does.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._handle: _Handle | None = None
        self._failure: str | None = None
        self._hook: weakref.ref[_Hook] | None = None

    @property
    def name(self) -> str:
        """Of the task."""
        return self._name

    @property
    def handle(self) -> "_Handle":
        """The handle itself; :class:`NotCommitted` or :class:`RolledBack`."""
        if self._handle is not None:
            return self._handle
        if self._failure is not None:
            raise RolledBack(f"The run of {self._name} was not stored: {self._failure}")
        if self._hook is not None and self._hook() is None:
            raise RolledBack(
                f"The transaction in which {self._name} was enqueued was rolled back, and the run"
                " with it; or an on_commit() hook failed before this handle heard of the commit."
            )
        raise NotCommitted(
            f"The run of {self._name} is there once the transaction in which it was enqueued"
            " has been committed: ask then, in transaction.on_commit() or after the block."
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what copy, pickle and the like look for is nothing of ours
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.handle, name)

    def __repr__(self) -> str:
        try:
            state = self.handle.id
        except (NotCommitted, RolledBack) as error:
            state = type(error).__name__
        return f"<DeferredHandle of {self._name}: {state}>"

    # What enqueueing calls

    def after(self, alias: str, then: Callable[[], None]) -> None:
        """Have *then* called after the commit of *alias*; now, if it is in no transaction."""

        def done() -> None:
            try:
                then()
            except Exception as error:
                self._failure = repr(error)
                raise

        hook = _Hook(done)
        self._hook = weakref.ref(hook)
        transaction.on_commit(hook, using=alias)

    def bind(self, handle: "_Handle") -> None:
        """Be this handle from now on."""
        self._handle = handle
