"""Fixtures that every room's tests share."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer
from tests.sessions import django_db_setup
from tests.stacks import Stack, standing

__all__ = ["django_db_setup", "live"]

# A shell starts its background jobs with these ignored, and every server of the tests
# would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The lines of the fixture ``show``."""
    reports = [
        report
        for kind in ("passed", "failed")
        for report in terminalreporter.stats.get(kind, ())
        if any(name == "shown" for name, _ in report.user_properties)
    ]
    if reports:
        terminalreporter.section("figures")
    for report in reports:
        for name, line in report.user_properties:
            if name == "shown":
                terminalreporter.line(f"{report.nodeid}: {line}")


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """Makes live servers on what the suite runs on, all on one data folder.

    Arguments as :class:`LiveServer`'s. None is started yet; all are ended with the test.
    """
    with ExitStack() as open_:
        stacks: dict[tuple[Any, bool], Stack] = {}

        def stack(env: Mapping[str, str], empty: bool) -> Stack:
            chosen = {name: env[name] for name in ("HEADWAY_APPS", "PYTHONPATH") if name in env}
            key = (tuple(chosen.items()), empty)
            if key not in stacks:
                made = standing(tmp_path / "data", chosen, empty=empty)
                stacks[key] = open_.enter_context(made)
            return stacks[key]

        def make(
            env: Mapping[str, str] | None = None, *, migrate: bool = True, **kwargs: Any
        ) -> LiveServer:
            env = env or {}
            if "DATABASE_URL" not in env:
                kwargs["stack"] = found = stack(env, not migrate)
                env = {**found.env, **env}
            server = LiveServer(tmp_path / "data", env, migrate=migrate, **kwargs)
            return open_.enter_context(server)

        yield make
