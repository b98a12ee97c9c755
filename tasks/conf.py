"""The ``HEADWAY`` setting: its keys, their defaults, units and checks.

Every key is optional. ``conf()`` gives the checked values of this process.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from tasks.definition import taskoptions
from tasks.settings import places, providers, queues, realtime, retention
from tasks.settings.keys import (
    Rule,
    choice,
    count,
    function,
    is_number,
    is_seconds,
    key,
    most,
    optional,
    rate,
    seconds,
    text,
)

__all__ = ["Conf", "conf", "outrank", "problems"]


@dataclass(frozen=True, kw_only=True)
class Conf:
    """The values of ``settings.HEADWAY``; a field's key there is its name in capitals."""

    # Where runs live and what carries their events
    database: str = text("default", "alias of the database that holds runs and events")
    channel_layer: str = text("default", "alias of the Channels layer that carries events")
    shards: int = count(16, "groups over which runs are spread on the layer")

    # Executing
    role: str = choice("all", ("all", "web", "worker"), "serve, execute, or both in this process")
    concurrency: int = count(200, "runs at once in a process, in all queues without a limit")
    queues: Mapping[str, int | None] = key(
        {},
        queues.WANTS,
        queues.are_limits,
        "the only queues runs are taken from, each with its limit, or `None`; `*`: all others",
    )
    max_attempts: int = count(1, "tries of a run whose task does not say")
    lost_attempts: int = count(3, "tries of a run whose process dies, if `max_attempts` is less")
    timeout: float | None = optional(
        None, "a number of seconds above 0", is_seconds, "longest attempt where no task says"
    )
    default_task: Mapping[str, Any] = key(
        {},
        "a dict of options of `@task`",
        lambda value: isinstance(value, Mapping),
        "options of tasks whose decorator does not say, such as `{'timeout': 60}`",
    )
    backoff: float = seconds(1.0, "delay after the first failed attempt; doubles with each")
    backoff_max: float = seconds(300.0, "longest delay between attempts")
    poll: float = seconds(0.5, "how often an idle process looks for runs it was not told of")
    lease: float = seconds(10.0, "how long a silent process keeps its runs")
    grace: float = seconds(8.0, "how long running tasks may go on after SIGTERM")
    blocked_loop: float = seconds(1.0, "a blocked event loop is logged after this long")

    request_id_provider: str | Callable[..., Any] | None = function("() -> str or None")  # noqa: RUF009
    base_dir: str | Path | None = optional(  # noqa: RUF009
        None,
        places.ABSOLUTE,
        places.is_absolute,
        "where relative folders begin; else at `settings.BASE_DIR`, or where the process began",
    )
    specs: Sequence[str] = key([], places.WANTS, places.are_folders, "folders of TaskSpecs")
    agents: Mapping[str, Mapping[str, Any]] = key(
        {},
        providers.WANTS,
        providers.are_providers,
        "providers of language models, by name; see [agents](docs/agents.md)",
    )

    # Events
    event_bytes: int = count(262_144, "largest data of one event, in bytes of JSON", 1024)
    output_bytes: int = count(
        104_857_600, "output of a process or command that an attempt keeps, in bytes", 1024
    )
    journal_events: int = count(2_000, "uncommitted events in a process before emit() waits")
    append: float = key(
        0.04,
        "a number of seconds from 0 to 0.5",
        lambda value: is_number(value) and 0 <= value <= 0.5,
        "how long text of `append()` may wait for more, to leave as one event",
    )
    feed_bytes: int = count(1_048_576, "events of one run kept in memory, in bytes", 1024)
    feeds_bytes: int = count(67_108_864, "the same of all watched runs, with their frames", 1024)
    replay_bytes: int = count(33_554_432, "stored pages of the log kept in memory, in bytes", 1024)
    # With the reading it takes less than the second that a lost message may cost.
    reconcile: float = seconds(0.9, "how often watched runs are compared with the database")
    stuck: float = seconds(25.0, "a reader that takes nothing for so long is cut off")
    heartbeat: float = seconds(15.0, "how often a silent stream says that it is alive")

    # Keeping
    retention: Sequence[Mapping[str, Any]] | None = key(
        retention.DEFAULT,
        retention.WANTS,
        lambda value: value is None or retention.are_rules(value),
        "how long finished runs are kept; `[]`: for ever",
    )

    # Who may do what, and how much
    authz: str | Callable[..., Any] | None = function("(user, run, action) -> bool")  # noqa: RUF009
    recheck: float = seconds(1.0, "how often it is asked whether open streams may go on")
    grant: float = seconds(300.0, "how long a grant holds if it does not say")
    grant_max: float = seconds(3600.0, "longest that a grant may hold")
    cors_origins: Sequence[str] = key(
        [],
        "a list of origins such as https://app.example.org",
        realtime.are_origins,
        "other origins whose pages may read what is here, with a grant",
    )
    realtime: Mapping[str, str] = key(
        {"TRANSPORT": realtime.BOTH},
        realtime.WANTS,
        realtime.is_offer,
        "how events are offered: `sse`, `channels` (WebSocket), `both` or `none`",
    )
    metrics_token: str = key(
        "",
        "a str",
        lambda value: isinstance(value, str),
        "who sends it as a bearer token may read `/metrics`; else staff",
    )
    websocket_path: str = text("ws/tasks/", "path of the WebSocket endpoints, without first slash")
    frame_bytes: int = count(65_536, "largest frame or body a client may send, in bytes", 1024)
    subscriptions: int = count(500, "runs that one WebSocket or event stream may watch")
    streams: int = most(10_000, "event streams and WebSockets open in a process; 0: any number")
    user_streams: int = most(500, "the same of one user; 0: any number")
    address_streams: int = most(2_000, "the same of one address; 0: any number")
    connect_rate: float = rate(
        100.0, "streams that an address may open a second, on average; 0: any number"
    )
    message_rate: float = rate(
        100.0, "messages a second on a WebSocket from a client, on average; 0: any number"
    )

    def offers(self, transport: str) -> bool:
        """Whether events can be had by ``sse`` or ``websocket``."""
        return realtime.offers(self.realtime, transport)

    @property
    def home(self) -> Path | None:
        """The project's folder, if a setting names it."""
        named = self.base_dir or getattr(settings, "BASE_DIR", None)
        return Path(named).absolute() if named else None

    def at(self, folder: str | Path) -> Path:
        """*folder*, which begins at the project's if it is relative."""
        return (self.home or Path.cwd()) / folder


def _rule(key: Field[Any]) -> Rule:
    rule: Rule = key.metadata["rule"]
    return rule


def documented() -> list[tuple[str, Any, str, str]]:
    """(key, default, what it must be, meaning) of every key, for the README's table."""
    defaults = Conf()
    return [
        (key.name.upper(), getattr(defaults, key.name), _rule(key).wants, _rule(key).doc)
        for key in fields(Conf)
    ]


def problems(given: object) -> list[str]:
    """What is wrong with a ``HEADWAY`` setting, one sentence each."""
    if not isinstance(given, Mapping):
        return [f"HEADWAY must be a dict, not {type(given).__name__}."]
    known = {key.name.upper(): key for key in fields(Conf)}
    found = [
        f"HEADWAY[{name!r}] is no key of Headway's. Known: {', '.join(sorted(known))}."
        for name in given
        if name not in known
    ]
    for name, item in known.items():
        if name in given and not _rule(item).holds(given[name]):
            shown = "this" if name == "AGENTS" else repr(given[name])  # it has secrets
            found.append(f"HEADWAY[{name!r}] must be {_rule(item).wants}, not {shown}.")
    return found + taskoptions.default_problems(given.get("DEFAULT_TASK"))


@cache
def conf() -> Conf:
    """The settings of this process; ``ImproperlyConfigured`` names every bad key at once."""
    given = getattr(settings, "HEADWAY", {})
    if found := problems(given):
        raise ImproperlyConfigured(" ".join(found))
    return Conf(**{name.lower(): value for name, value in given.items()})


def outrank(**given: Any) -> None:
    """Let a command line outrank the settings of this process; a value that is None does not.

    ``ImproperlyConfigured`` names every bad value.
    """
    chosen = {name.upper(): value for name, value in given.items() if value is not None}
    if found := problems(chosen):
        raise ImproperlyConfigured(" ".join(found))
    settings.HEADWAY = getattr(settings, "HEADWAY", {}) | chosen
    conf.cache_clear()


def _forget(*, setting: str, **_: object) -> None:
    if setting == "HEADWAY":
        conf.cache_clear()


setting_changed.connect(_forget, dispatch_uid="headway.conf")
