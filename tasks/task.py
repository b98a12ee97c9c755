"""The ``@task`` decorator and the ``Task`` it makes: Django's own, with more options."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    Self,
    TypeVar,
    Unpack,
    overload,
)

from django.db import DEFAULT_DB_ALIAS

from tasks.compat import Task as DjangoTask
from tasks.definition import calls, registry, taskoptions
from tasks.definition.backends import default_alias
from tasks.definition.options import Runner
from tasks.definition.taskoptions import Backoff, Options, Overrides

if TYPE_CHECKING:
    from tasks.backend import HeadwayBackend
    from tasks.handles import Handle
    from tasks.handles.deferred import DeferredHandle

__all__ = ["Task", "task"]

P = ParamSpec("P")
T = TypeVar("T")


# Zero-argument super() does not work in a dataclass with slots, which is made twice.
@dataclass(frozen=True, slots=True, kw_only=True)
class Task(DjangoTask, Generic[P, T]):  # type: ignore[type-arg]
    """A function that can be enqueued. Made by :func:`task`; immutable.

    Calling it runs the function here and now, without Headway.
    """

    #: Name to enqueue it by, beside its module path.
    registered_name: str | None = None
    #: What it does, for people; by default the first line of the function's docstring.
    description: str = ""
    #: Seconds an attempt may take; None: ``HEADWAY["TIMEOUT"]``.
    timeout: float | None = None
    #: Tries until a run has failed; None: ``HEADWAY["MAX_ATTEMPTS"]``.
    max_attempts: int | None = None
    #: What gives the seconds from a failed attempt to the next one; its path, or it.
    backoff: Backoff | str | None = None
    #: Kept with each run, for the application to filter by.
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: Whom the runs belong to; None: the user of the current request, if any.
    user: Any = None
    #: From the enqueue to the earliest claim; instead of ``run_after``.
    delay: timedelta | None = None
    #: A second run with this key is not made; its enqueue gives the first one's handle.
    unique_key: str | None = None
    #: How it is executed, as :class:`tasks.definition.options.Execution` tells.
    runner: Runner | None = None
    memory_mb: int | None = None
    cpu_seconds: int | None = None
    max_fds: int | None = None
    env: Mapping[str, str] | None = None
    working_dir: str | None = None
    stream_output: bool | None = None

    def __post_init__(self) -> None:
        DjangoTask.__post_init__(self)
        registry.register(self)

    def __call__(self, *args: Any, **kwargs: Any) -> T:
        return self.func(*args, **kwargs)  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        return self.registered_name or self.func.__name__

    @property
    def module_path(self) -> str:
        return f"{self.func.__module__}.{self.func.__qualname__}"

    def using(self, **given: Unpack[Overrides]) -> Self:
        """The same task with other options. *run_after* may be a delay from the enqueue on.

        :class:`InvalidOption` for one that there is not, ``InvalidTask`` for a wrong value.
        """
        taskoptions.check_names("using()", given, taskoptions.known_overrides())
        chosen: dict[str, Any] = {k: value for k, value in given.items() if value is not None}
        moment = chosen.get("run_after")
        if isinstance(moment, timedelta):
            chosen |= {"delay": moment, "run_after": None}
        elif moment is not None:
            chosen["delay"] = None
        return replace(self, **chosen)

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> "Handle":
        """Store a run of this task, to be executed as soon as the transaction commits.

        Raises :class:`InvalidArguments` or :class:`InvalidValue`; then nothing is stored.
        """
        return self._backend().enqueue_many(self, [(args, kwargs)])[0]

    async def aenqueue(self, *args: P.args, **kwargs: P.kwargs) -> "Handle":
        """See :meth:`enqueue`."""
        return (await self._backend().aenqueue_many(self, [(args, kwargs)]))[0]

    @overload
    def enqueue_on_commit(self, *args: P.args, **kwargs: P.kwargs) -> "DeferredHandle": ...

    @overload
    def enqueue_on_commit(self, *args: Any, using: str, **kwargs: Any) -> "DeferredHandle": ...

    def enqueue_on_commit(
        self, *args: Any, using: Any = DEFAULT_DB_ALIAS, **kwargs: Any
    ) -> "DeferredHandle":
        """Store a run when the current transaction commits; at once if there is none.

        *using* says whose transaction, where there are several databases. The arguments
        are checked and serialised now, and raise as those of :meth:`enqueue` do.
        """
        calls.check_using(self.name, self.func)
        return self._backend().enqueue_on_commit(self, args, kwargs, using)

    @overload
    async def aenqueue_on_commit(self, *args: P.args, **kwargs: P.kwargs) -> "DeferredHandle": ...

    @overload
    async def aenqueue_on_commit(
        self, *args: Any, using: str, **kwargs: Any
    ) -> "DeferredHandle": ...

    async def aenqueue_on_commit(
        self, *args: Any, using: Any = DEFAULT_DB_ALIAS, **kwargs: Any
    ) -> "DeferredHandle":
        """See :meth:`enqueue_on_commit`. In a transaction of the sync code that called this."""
        calls.check_using(self.name, self.func)
        return await self._backend().aenqueue_on_commit(self, args, kwargs, using)

    def enqueue_many(
        self, calls: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]
    ) -> "list[Handle]":
        """Store a run for each ``(args, kwargs)`` of *calls*: all, or none if one is invalid."""
        return self._backend().enqueue_many(self, calls)

    async def aenqueue_many(
        self, calls: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]
    ) -> "list[Handle]":
        """See :meth:`enqueue_many`."""
        return await self._backend().aenqueue_many(self, calls)

    def check_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """:class:`InvalidArguments` unless the function could be called so."""
        calls.check(self.name, self.func, args, kwargs, context=self.takes_context)

    def _backend(self) -> "HeadwayBackend":
        return self.get_backend()  # type: ignore[return-value]


@overload
def task(function: Callable[P, T], /) -> Task[P, T]: ...


@overload
def task(
    *,
    takes_context: Literal[True],
    name: str | None = None,
    description: str = "",
    **given: Unpack[Options],
) -> Callable[[Callable[Concatenate[Any, P], T]], Task[P, T]]: ...


@overload
def task(
    *,
    takes_context: Literal[False] = False,
    name: str | None = None,
    description: str = "",
    **given: Unpack[Options],
) -> Callable[[Callable[P, T]], Task[P, T]]: ...


def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    takes_context: bool = False,
    name: str | None = None,
    description: str = "",
    **given: Unpack[Options],
) -> Any:
    """Make a module-level function a task.

    It may be async, an async generator, sync, or a sync generator. With *takes_context*
    its first parameter, named ``context``, receives a :class:`~tasks.context.Context`
    (a :class:`~tasks.context.SyncContext` where the function is sync).

    *timeout* is in seconds for each attempt. *max_attempts* counts attempts that raised
    or timed out; *backoff* is a function of what was raised and of the run, that gives the
    seconds until the next attempt. *priority* goes from -100 to 100. *runner* is ``auto``,
    ``async``, ``thread``, ``process`` or ``command``, for which the function returns a list of
    arguments or a :class:`~tasks.command.Command`; what belongs to it is told in
    :class:`tasks.definition.options.Execution`. What is not given is
    taken from ``HEADWAY["DEFAULT_TASK"]``. A bad option raises Django's ``InvalidTask`` or
    a ``TypeError`` at once.
    """
    taskoptions.check_names("@task", given, taskoptions.known_defaults())
    chosen: dict[str, Any] = {k: value for k, value in given.items() if value is not None}

    def decorate(decorated: Callable[..., Any]) -> Task[..., Any]:
        return Task(
            func=decorated,
            run_after=None,
            takes_context=takes_context,
            registered_name=name,
            description=description or _first_line(decorated),
            **{"backend": default_alias(), **taskoptions.defaults(decorated), **chosen},
        )

    return decorate if function is None else decorate(function)


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]
