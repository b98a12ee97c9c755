"""System checks: an agent that could not work is named at start."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateSyntaxError
from django.utils.module_loading import import_string

from tasks.agents.agent import Agent
from tasks.agents.providers import provider_for
from tasks.conf import conf, problems
from tasks.definition import registry

__all__ = ["check_agents"]

_README = "docs/agents.md has an example."


def check_agents(**_: Any) -> list[CheckMessage]:
    """Providers that can be made, agents that name one, and templates that are some.

    Nobody is asked anything: whether a key is right shows at the first run.
    """
    if problems(getattr(settings, "HEADWAY", {})):
        return []  # check_settings says it
    agents = [task for task in registry.known().values() if isinstance(task, Agent)]
    found = [message for name in conf().agents for message in _of_provider(name)]
    return found + [message for each in agents for message in _of_agent(each)]


def _of_provider(name: str) -> Iterator[CheckMessage]:
    try:
        provider_for(name)
    except ImproperlyConfigured as error:
        yield Error(str(error), hint=_README, id="headway.E030")


def _of_agent(agent: Agent) -> Iterator[CheckMessage]:
    path, plan = agent.module_path, agent.plan
    if isinstance(plan.provider, str) and plan.provider not in conf().agents:
        # No error: who migrates, or only enqueues, need not be told whom it asks.
        yield Warning(
            f"The agent {path} asks {plan.provider!r}, which HEADWAY['AGENTS'] does not have.",
            hint=_README,
            id="headway.W031",
        )
    elif plan.tools and not _calls_tools(agent):
        yield Error(
            f"The agent {path} has tools, and its provider cannot call them.",
            hint="Leave the tools out, or name a provider that can.",
            id="headway.E032",
        )
    if not _stands_at(path, agent):
        yield Error(
            f"The agent {path} is no variable of that name: other processes could not find it.",
            hint=f"{agent.name} = agent(name={agent.name!r}, …) in the module itself.",
            id="headway.E033",
        )
    for prompt in filter(None, (plan.instructions, plan.prompt)):
        try:
            prompt.check()
        except TemplateSyntaxError as error:
            yield Error(
                f"A template of the agent {path} is none: {error}",
                hint="Instructions and prompt are Django templates.",
                id="headway.E034",
            )


def _calls_tools(agent: Agent) -> bool:
    try:
        return provider_for(agent.plan.provider).calls_tools
    except ImproperlyConfigured:
        return True  # that it cannot be made is said already


def _stands_at(path: str, agent: Agent) -> bool:
    try:
        found = import_string(path)
    except ImportError:
        return False
    return isinstance(found, Agent) and found.func is agent.func
