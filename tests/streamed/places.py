"""Servers of StreamTasks, on TCP and on a Unix socket: fixtures."""

from collections.abc import Callable, Iterator

import pytest

from tests.live import LiveServer
from tests.streamed.site import Site, site

__all__ = ["Live", "place", "tcp"]

Live = Callable[..., LiveServer]


@pytest.fixture(params=["tcp", "unix"])
def place(request: pytest.FixtureRequest, live: Live) -> Iterator[Site]:
    made = site(live, request.param)
    with made.server:
        made.server.start()
        yield made
    output = made.server.output
    assert output.count("Traceback") == output.count("RuntimeError: It broke."), output


@pytest.fixture
def tcp(live: Live) -> Site:
    made = site(live)
    made.server.start()
    return made
