"""Behind an nginx that nobody has told anything, and a middleware that compresses."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import streams
from tests.chaos.service.client import enqueue
from tests.live import LiveServer
from tests.services import Nginx
from tests.stacks import Serve, Show

pytestmark = pytest.mark.e2e

# What a distribution's nginx.conf and a first proxy_pass say.
PLAIN = """\
gzip on;
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://127.0.0.1:{upstream};
    }}
}}
"""


class PlainNginx(Nginx):
    """Buffers, compresses, and speaks HTTP/1.0 to its upstream."""

    def __init__(self, upstream: int) -> None:
        super().__init__([upstream])
        text = PLAIN.format(port=self.port, upstream=upstream)
        (self.folder / "nginx.conf").write_text(text)


@pytest.fixture
def server(serve: Serve) -> LiveServer:
    made = serve()
    made.env["DJANGO_SETTINGS_MODULE"] = "tests.deploy.compressing"
    return made.start()


@pytest.fixture
def nginx(server: LiveServer) -> Iterator[PlainNginx]:
    with PlainNginx(server.port) as started:
        yield started


@pytest.mark.parametrize("many", [False, True])
async def test_events_come_when_they_are_said(
    nginx: PlainNginx, server: LiveServer, show: Show, tmp_path: Path, many: bool
) -> None:
    """The run goes on only once its client has seen it rest: who buffers waits for ever."""
    run_id = enqueue(nginx, "rest_until", str(tmp_path / "seen"))
    path = f"/tasks/events/?run={run_id}" if many else f"/tasks/{run_id}/events/"
    headers = {"Accept-Encoding": "gzip, br", "Accept": "text/event-stream"}
    began = time.monotonic()
    async with asyncio.timeout(40), streams.get(nginx.port, path, headers) as response:
        assert response.status == 200
        assert "content-encoding" not in response.headers
        body = b""
        async for chunk in response.chunks():
            if not body:
                show(f"the first byte after {time.monotonic() - began:.2f} s")
                assert time.monotonic() - began < 10  # of a loaded machine, and no buffer's
            body += chunk
            if b'"type":"resting"' in body:
                (tmp_path / "seen").touch()
    assert body.endswith(b"}\n\n")
    assert b'"type":"finished"' in body


async def test_a_page_is_compressed(nginx: PlainNginx, tmp_path: Path) -> None:
    """So the middleware is there, and does what it does."""
    path = "/tasks/openapi.json"
    async with streams.get(nginx.port, path, {"Accept-Encoding": "gzip"}) as response:
        assert response.headers["content-encoding"] == "gzip"
