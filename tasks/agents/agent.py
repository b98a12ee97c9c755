"""``agent()``: a task that a language model does."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from django.core.exceptions import ImproperlyConfigured

from tasks.agents.contract import Provider
from tasks.agents.errors import MissingVariable
from tasks.agents.plan import Plan
from tasks.agents.schemas import Schema
from tasks.agents.templates import Prompt
from tasks.agents.tools import tools_by_name
from tasks.context import Context
from tasks.definition import taskoptions
from tasks.definition.backends import default_alias
from tasks.exceptions import InvalidArguments
from tasks.task import Task

if TYPE_CHECKING:
    from tasks.handles import Handle

__all__ = ["Agent", "agent"]


class Options(TypedDict, total=False):
    """What an agent has as every task."""

    priority: int
    queue_name: str
    backend: str | None
    timeout: float | None
    max_attempts: int | None
    metadata: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent(Task[..., Any]):
    """An agent that can be enqueued. Made by :func:`agent`; immutable.

    Its runs return a dict: ``text``, the last answer; ``output``, the same as JSON where the
    agent has a schema; ``usage``, ``turns``, ``calls``, ``finish`` and ``conversation``.
    """

    plan: Plan

    def continuing(self, run: "Handle") -> Self:
        """The same agent, whose next run goes on where *run*, a finished one of it, ended.

        Whoever may enqueue an agent over HTTP cannot choose a conversation: that is code's,
        which knows whose *run* it is.
        """
        first = run.metadata.get("conversation") or str(run.id)
        about = {"continues": str(run.id), "conversation": first}
        return replace(self, metadata={**self.metadata, **about})

    def check_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """:class:`InvalidArguments` also if there is no question, or a template lacks a value."""
        from tasks.agents.transcript import fits

        Task.check_call(self, args, kwargs)
        question, values = _told(*args, **kwargs)
        if not isinstance(question, str):
            raise InvalidArguments(f"{self.name}() is asked a str, not {type(question).__name__}.")
        try:
            self.plan.instruct(question, values)
            asked = self.plan.asked(question, values)
        except MissingVariable as error:
            raise InvalidArguments(f"{self.name}() cannot be asked this: {error}") from None
        if not asked.strip():
            raise InvalidArguments(f"{self.name}() is asked nothing: give it a question.")
        if not fits({"text": asked}):
            raise InvalidArguments(f"{self.name}() is asked more than HEADWAY['EVENT_BYTES'] hold.")


def agent(
    *,
    name: str,
    provider: str | Provider = "default",
    instructions: str = "",
    prompt: str | None = None,
    tools: Iterable[Callable[..., Any]] = (),
    max_turns: int = 10,
    output: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> Agent:
    """A task that a language model does, to be kept in a module variable called *name*.

    ``enqueue(question, **values)`` asks it. *provider* is an entry of ``HEADWAY["AGENTS"]``,
    or a :class:`~tasks.agents.contract.Provider`. *instructions* and *prompt* are Django
    templates of *values* and ``question``; without a *prompt*, the question is asked as it
    is. *tools* are functions with type hints. After *max_turns* answers that still call tools
    the attempt fails. The last answer has to be JSON that fits the JSON schema *output*, and
    the model is told once where it does not. *options* are as in :func:`tasks.task`.

    Raises ``ImproperlyConfigured`` if one of these is not sound.
    """
    if type(max_turns) is not int or max_turns < 1:
        raise ImproperlyConfigured(f"max_turns is a whole number from 1, not {max_turns!r}.")
    if not name.isidentifier():
        raise ImproperlyConfigured(f"{name!r} is no name of an agent: that of its variable is.")
    plan = Plan(
        provider=provider,
        instructions=Prompt(instructions),
        prompt=None if prompt is None else Prompt(prompt),
        tools=tools_by_name(tools),
        max_turns=max_turns,
        output=None if output is None else Schema(output),
    )
    function = _function(name, sys._getframe(1).f_globals["__name__"], plan)
    return Agent(
        func=function,
        plan=plan,
        takes_context=True,
        registered_name=name,
        run_after=None,
        **{"backend": default_alias(), **_chosen(function, options)},
    )


def _chosen(function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, else ``HEADWAY["DEFAULT_TASK"]``'s; it says nothing of how they run."""
    known = Options.__annotations__
    taskoptions.check_names("agent()", options, known)
    defaults = taskoptions.defaults(function).items()
    given = {key: value for key, value in options.items() if value is not None}
    return {key: value for key, value in defaults if key in known} | given


def _function(name: str, module: str, plan: Plan) -> Callable[..., Any]:
    """What executes the agent, with the path that its variable has."""

    async def run(context: Context, question: str = "", **values: Any) -> dict[str, Any]:
        from tasks.agents.dialogue import perform  # it reads models

        return await perform(plan, context, question, values)

    run.__name__ = run.__qualname__ = name
    run.__module__ = module
    return run


def _told(question: Any = "", **values: Any) -> tuple[Any, dict[str, Any]]:
    return question, values
