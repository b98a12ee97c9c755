"""The ``@task`` decorator and the ``Task`` it makes: Django's own, with more options."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
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

from tasks import registry
from tasks.compat import Task as DjangoTask
from tasks.exceptions import InvalidArguments
from tasks.options import Execution, Runner

if TYPE_CHECKING:
    from tasks.backend import HeadwayBackend
    from tasks.handles import Handle

__all__ = ["Task", "task"]

P = ParamSpec("P")
T = TypeVar("T")

_CONTEXT = object()  # stands in for the context when a call is checked


@cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


# Zero-argument super() does not work in a dataclass with slots, which is made twice.
@dataclass(frozen=True, slots=True, kw_only=True)
class Task(DjangoTask, Generic[P, T]):  # type: ignore[type-arg]
    """A function that can be enqueued. Made by :func:`task`; immutable.

    Calling it runs the function here and now, without Headway.
    """

    #: Name to enqueue it by, beside its module path.
    registered_name: str | None = None
    #: Seconds an attempt may take; None: ``HEADWAY["TIMEOUT"]``.
    timeout: float | None = None
    #: Tries until a run has failed; None: ``HEADWAY["MAX_ATTEMPTS"]``.
    max_attempts: int | None = None
    #: Kept with each run, for the application to filter by.
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: Whom the runs belong to; None: the user of the current request, if any.
    user: Any = None
    #: From the enqueue to the earliest claim; instead of ``run_after``.
    delay: timedelta | None = None
    #: A second run with this key is not made; its enqueue gives the first one's handle.
    unique_key: str | None = None
    #: How it is executed, as :class:`tasks.options.Execution` tells.
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

    def using(
        self,
        *,
        priority: int | None = None,
        queue_name: str | None = None,
        run_after: datetime | timedelta | None = None,
        backend: str | None = None,
        timeout: float | None = None,
        max_attempts: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        user: Any = None,
        unique_key: str | None = None,
        **execution: Unpack[Execution],
    ) -> Self:
        """The same task with other options. *run_after* may be a delay from the enqueue on."""
        given = {
            "priority": priority,
            "queue_name": queue_name,
            "backend": backend,
            "timeout": timeout,
            "max_attempts": max_attempts,
            "metadata": metadata,
            "user": user,
            "unique_key": unique_key,
            **execution,
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        if isinstance(run_after, timedelta):
            chosen |= {"delay": run_after, "run_after": None}
        elif run_after is not None:
            chosen |= {"delay": None, "run_after": run_after}
        return replace(self, **chosen)

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> "Handle":
        """Store a run of this task, to be executed as soon as the transaction commits.

        Raises :class:`InvalidArguments` or :class:`InvalidValue`; then nothing is stored.
        """
        return self._backend().enqueue_many(self, [(args, kwargs)])[0]

    async def aenqueue(self, *args: P.args, **kwargs: P.kwargs) -> "Handle":
        """See :meth:`enqueue`."""
        return (await self._backend().aenqueue_many(self, [(args, kwargs)]))[0]

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
        given = (_CONTEXT, *args) if self.takes_context else args
        try:
            _signature(self.func).bind(*given, **kwargs)
        except TypeError as error:
            raise InvalidArguments(f"{self.name}() cannot be called like this: {error}.") from None

    def _backend(self) -> "HeadwayBackend":
        return self.get_backend()  # type: ignore[return-value]


@overload
def task(function: Callable[P, T], /) -> Task[P, T]: ...


@overload
def task(
    *,
    takes_context: Literal[True],
    name: str | None = None,
    priority: int = 0,
    queue_name: str = "default",
    backend: str | None = None,
    timeout: float | None = None,
    max_attempts: int | None = None,
    metadata: Mapping[str, Any] | None = None,
    **execution: Unpack[Execution],
) -> Callable[[Callable[Concatenate[Any, P], T]], Task[P, T]]: ...


@overload
def task(
    *,
    takes_context: Literal[False] = False,
    name: str | None = None,
    priority: int = 0,
    queue_name: str = "default",
    backend: str | None = None,
    timeout: float | None = None,
    max_attempts: int | None = None,
    metadata: Mapping[str, Any] | None = None,
    **execution: Unpack[Execution],
) -> Callable[[Callable[P, T]], Task[P, T]]: ...


def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    takes_context: bool = False,
    name: str | None = None,
    priority: int = 0,
    queue_name: str = "default",
    backend: str | None = None,
    timeout: float | None = None,
    max_attempts: int | None = None,
    metadata: Mapping[str, Any] | None = None,
    **execution: Unpack[Execution],
) -> Any:
    """Make a module-level function a task.

    It may be async, an async generator, sync, or a sync generator. With *takes_context*
    its first parameter, named ``context``, receives a :class:`~tasks.context.Context`
    (a :class:`~tasks.context.SyncContext` where the function is sync).

    *timeout* is in seconds for each attempt. *max_attempts* counts attempts that raised
    or timed out. *priority* goes from -100 to 100. *runner* is ``auto``, ``async``,
    ``thread``, ``process`` or ``command``, for which the function returns a list of arguments
    or a :class:`~tasks.command.Command`; the others of *execution* are told in
    :class:`tasks.options.Execution`. A bad option raises Django's ``InvalidTask`` or a
    ``TypeError`` at once.
    """
    from tasks.backend import default_alias

    def decorate(decorated: Callable[..., Any]) -> Task[..., Any]:
        return Task(
            func=decorated,
            priority=priority,
            queue_name=queue_name,
            backend=backend or default_alias(),
            run_after=None,
            takes_context=takes_context,
            registered_name=name,
            timeout=timeout,
            max_attempts=max_attempts,
            metadata=metadata or {},
            **execution,
        )

    return decorate if function is None else decorate(function)
