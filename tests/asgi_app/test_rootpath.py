"""A Daphne-Root-Path that cannot be read is refused, over HTTP and WebSocket."""

from collections.abc import Callable

import httpx
import pytest

from tests.live import LiveServer

WEBSOCKET = {
    b"Connection": b"Upgrade",
    b"Upgrade": b"websocket",
    b"Sec-WebSocket-Key": b"dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Version": b"13",
}


@pytest.mark.e2e
def test_root_paths(live: Callable[..., LiveServer]) -> None:
    server = live().start()
    with httpx.Client(base_url=server.url, timeout=30) as client:
        for upgrade in ({}, WEBSOCKET):
            for value in (b"/\xc3\xa9", b"\xff", b"/fine, \x80"):
                headers = {**upgrade, b"Daphne-Root-Path": value}
                assert client.get("/health", headers=headers).status_code == 400
        assert client.get("/health", headers={b"Daphne-Root-Path": b"/%C3%A9"}).status_code == 200
    assert "Traceback" not in server.output
