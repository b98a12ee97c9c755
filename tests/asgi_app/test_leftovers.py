"""What daphne and autobahn keep of how a stream was opened, and what is left of it."""

import json
from collections.abc import Callable

import httpx
import pytest
from websockets.sync.client import connect

from asgi_app import leftovers
from tests.live import LiveServer

Live = Callable[..., LiveServer]


@pytest.mark.e2e
def test_what_is_forgotten_is_there_to_be_forgotten(live: Live) -> None:
    """Else a release of theirs has renamed it, and an open stream weighs more again."""
    application = f"{__package__}.opened:application"
    server = live({"DATABASE_URL": "none"}, application=application).start()

    of_request = set(httpx.get(server.url, timeout=20).json())
    with connect(server.ws_url) as socket:
        of_socket = set(json.loads(socket.recv(20)))

    assert of_request >= leftovers.OF_REQUEST
    assert of_socket >= leftovers.OF_SOCKET


def test_the_rest_is_kept_in_its_order() -> None:
    class Thing:
        pass

    thing = Thing()
    vars(thing).update({name: name for name in "abcd"})
    leftovers.forget(thing, frozenset("bx"))
    assert [*vars(thing)] == ["a", "c", "d"]
