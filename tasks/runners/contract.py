"""What a runner is given, and what it owes."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.context import Context, SyncContext
from tasks.definition.options import Options, is_async

if TYPE_CHECKING:
    from tasks.runners.apart.client import ForkServer

__all__ = ["Call", "Encoded", "Runner", "current_call"]


class Encoded(NamedTuple):
    """What a function returned, as JSON text already."""

    text: str


def _nothing() -> None:
    """Whoever calls the function has no clock to start."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; the context among them if the task takes it."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    context: Context | SyncContext
    options: Options = field(default_factory=Options)
    #: To be called when the function begins: from then on its timeout counts.
    begin: Callable[[], None] = _nothing
    #: To be called when it has ended, if something is still to be done then.
    over: Callable[[], None] = _nothing
    #: For runners whose runs have processes of their own.
    server: "ForkServer | None" = None

    @property
    def is_async(self) -> bool:
        return is_async(self.function)


#: What the event loop executes: for what needs a process in the middle of a coroutine.
current_call: ContextVar[Call] = ContextVar("headway_call")

#: Executes a call and returns what it returned, or that :class:`Encoded`. It raises what the
#: function raised, and ends soon after it was cancelled, whether or not the function does.
Runner = Callable[[Call], Awaitable[Any]]
