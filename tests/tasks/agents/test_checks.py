"""A wrong configuration of agents is named at start, and never with a secret."""

import socket
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from tasks.agents import agent
from tasks.agents.chat import ChatCompletions
from tasks.agents.checks import check_agents
from tasks.agents.commandline import CommandLine
from tasks.agents.providers import provider_for
from tasks.checks import check_settings
from tasks.definition import registry
from tasks.exceptions import InvalidOption
from tests.tasks.agents import cast
from tests.tasks.agents.conftest import KEY

FINE = {"BASE_URL": "https://llm.example.org/v1/", "MODEL": "tiny", "API_KEY": KEY}


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agents that a test makes are nobody else's."""
    monkeypatch.setattr(registry, "_tasks", dict(registry._tasks))


def ids(messages: list[CheckMessage]) -> list[str | None]:
    assert all(message.hint for message in messages)
    assert KEY not in str(messages)
    return [message.id for message in messages]


def test_providers_by_name(settings: Any) -> None:
    settings.HEADWAY = {
        "AGENTS": {
            "default": FINE,
            "program": {"BACKEND": "tasks.agents.commandline.CommandLine", "COMMAND": ["llm"]},
        }
    }
    assert check_agents() == []
    assert isinstance(provider_for("default"), ChatCompletions)
    assert isinstance(provider_for("program"), CommandLine)
    assert provider_for("default") is provider_for("default")
    assert KEY not in repr(provider_for("default"))
    with pytest.raises(ImproperlyConfigured, match=r"no 'other'\. Known: default, program"):
        provider_for("other")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"MODEL": "a"}, "base_url"),
        (FINE | {"MODLE": "a"}, "modle"),
        (FINE | {"MODEL": ""}, "MODEL must be"),
        (FINE | {"BASE_URL": "llm.example.org"}, "BASE_URL must be"),
        (FINE | {"BASE_URL": f"https://me:{KEY}@llm.example.org"}, "BASE_URL must be"),
        (FINE | {"BASE_URL": f"https://llm.example.org?key={KEY}"}, "BASE_URL must be"),
        (FINE | {"BASE_URL": "https://[llm"}, "BASE_URL must be"),
        (FINE | {"API_KEY": f"{KEY}\n"}, "API_KEY must be"),
        (FINE | {"HEADERS": {"X": f"{KEY}\r\n"}}, "HEADERS must be"),
        (FINE | {"TIMEOUT": 0}, "TIMEOUT must be"),
        (FINE | {"RETRIES": True}, "RETRIES must be"),
        (FINE | {"OPTIONS": [KEY]}, "OPTIONS must be"),
        (FINE | {"OPTIONS": {"key": {KEY}}}, "OPTIONS"),
        (FINE | {"RESPONSE_FORMAT": KEY}, "RESPONSE_FORMAT must be one of"),
        (FINE | {"BACKEND": "tasks.agents.Nobody"}, "BACKEND 'tasks.agents.Nobody'"),
    ],
)
def test_a_provider_that_is_wrong(settings: Any, entry: dict[str, Any], says: str) -> None:
    settings.HEADWAY = {"AGENTS": {"default": entry}}
    (message,) = check_agents()
    assert says in message.msg
    assert "HEADWAY['AGENTS']['default']" in message.msg
    assert ids([message]) == ["headway.E030"]


@pytest.mark.parametrize("value", [KEY, {"default": KEY}, {"default": {"api_key": KEY}}])
def test_a_setting_of_another_form_is_not_shown(settings: Any, value: Any) -> None:
    settings.HEADWAY = {"AGENTS": value}
    assert ids(check_settings()) == ["headway.E001"]
    assert check_agents() == []


def test_an_agent_whose_provider_there_is_not() -> None:
    agent(name="lonely", provider="nobody")
    assert ids(check_agents()) == ["headway.W031", "headway.E033"]


def test_an_agent_with_tools_that_nobody_calls(settings: Any) -> None:
    program = {"BACKEND": "tasks.agents.commandline.CommandLine", "COMMAND": ["llm"]}
    settings.HEADWAY = {"AGENTS": {"default": program}}
    agent(name="handyman", tools=[cast.in_a_thread])
    assert ids(check_agents()) == ["headway.E032", "headway.E033"]


def test_a_template_that_is_none() -> None:
    agent(name="poet", provider=cast.STAGE, instructions="{% if %}", prompt="{{ a|nothing }}")
    assert ids(check_agents()) == ["headway.E033", "headway.E034", "headway.E034"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"max_turns": 0}, "max_turns"),
        ({"max_turns": True}, "max_turns"),
        ({"output": {"type": "nothing"}}, "no JSON schema"),
        ({"output": ["a"]}, "A schema is a dict"),
        ({"name": "a b"}, "no name of an agent"),
        ({"tools": [cast.in_a_thread, cast.in_a_thread]}, "Two tools"),
    ],
)
def test_an_agent_that_cannot_be_made(options: dict[str, Any], says: str) -> None:
    given: dict[str, Any] = {"name": "nobody", "provider": cast.STAGE, **options}
    with pytest.raises(ImproperlyConfigured, match=says):
        agent(**given)


def test_a_schema_that_refers_to_elsewhere_connects_to_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/schema"
        made = agent(name="far", provider=cast.STAGE, output={"$ref": address})
        assert made.plan.output is not None
        with pytest.raises(Exception, match=address):
            made.plan.output.problems({})
        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_defaults_of_tasks_are_those_of_agents_too(settings: Any) -> None:
    settings.HEADWAY = {"DEFAULT_TASK": {"timeout": 7.0, "max_attempts": 2, "runner": "process"}}
    made = agent(name="patient", max_attempts=5)
    assert (made.timeout, made.max_attempts, made.runner) == (7.0, 5, None)


def test_an_option_that_there_is_not() -> None:
    with pytest.raises(InvalidOption, match="timeout"):
        agent(name="hasty", timeot=3.0)  # type: ignore[call-arg]
