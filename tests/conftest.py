"""Fixtures that every room's tests share."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer
from tests.sessions import django_db_setup

__all__ = ["django_db_setup", "live"]

# A shell starts its background jobs with these ignored, and every server of the tests
# would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """Makes live servers, all on one data folder; arguments as :class:`LiveServer`'s.

    None is started yet; all are ended with the test.
    """
    made: list[LiveServer] = []

    def make(*args: Any, **kwargs: Any) -> LiveServer:
        made.append(LiveServer(tmp_path / "data", *args, **kwargs))
        return made[-1]

    yield make
    for server in made:
        server.close()
