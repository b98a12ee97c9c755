"""URLs that lead nowhere: said in the log within seconds, and nothing hangs."""

import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import httpx
import pytest

from tests.live import LiveServer
from tests.processes import free_port
from tests.services.proxy import Proxy

pytestmark = [pytest.mark.e2e, pytest.mark.servers]

SOON = 10.0  # seconds: longer than a connection may take to be made


def at(url: str, **parts: str) -> str:
    return urlsplit(url)._replace(**parts).geturl()


def nobody(url: str) -> str:
    return at(url, netloc=f"{urlsplit(url).username}@127.0.0.1:{free_port()}")


def no_such_name(url: str) -> str:
    return at(url, path="/no_such_database")


def no_such_user(url: str) -> str:
    parts = urlsplit(url)
    return at(url, netloc=f"nobody_here:secret@{parts.hostname}:{parts.port}")


def silent(url: str) -> str:
    return url  # by the proxy, which is cut


@pytest.mark.parametrize("server", ["daphne", "worker"])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (nobody, "refused"),
        (no_such_name, "no_such_database.*does not exist"),
        (no_such_user, "nobody_here.*does not exist"),
        (silent, "timeout"),
    ],
)
def test_a_database_that_cannot_be_reached(
    live: Callable[..., LiveServer],
    servers: Mapping[str, str],
    server: str,
    wrong: Callable[[str], str],
    said: str,
) -> None:
    with Proxy(servers["TEST_DATABASE_URL"]) as proxy:
        proxy.cut()
        url = wrong(proxy.url if wrong is silent else servers["TEST_DATABASE_URL"])
        process = live({"DATABASE_URL": url}, server=server).start(wait=False)
        if server == "daphne":
            process.wait_line("Listening on TCP address")
            began = time.monotonic()
            ready = httpx.get(f"{process.url}/health/ready", timeout=SOON)
            assert time.monotonic() - began < SOON / 2
            assert (ready.status_code, ready.json()["checks"]["database"]) == (503, False)
            assert httpx.get(f"{process.url}/health/live").status_code == 200
            process.wait_line(r"The database 'default' \(127.0.0.1:\d+/\w+\) cannot be reached")
        process.wait_line(f"waits for the database 'default'.*{said}", SOON)
        assert process.process.poll() is None  # it may come yet
        process.terminate()
        assert process.wait() == 0
    assert "secret" not in process.output


def test_a_layer_that_cannot_be_reached(live: Callable[..., LiveServer]) -> None:
    url = f"redis://:secret@127.0.0.1:{free_port()}"
    process = live({"REDIS_URL": url}).start()

    process.wait_line("CHANNEL_LAYERS.*fails")
    ready = httpx.get(f"{process.url}/health/ready", timeout=SOON)

    assert (ready.status_code, ready.json()["degraded"]) == (200, ["layer"])
    process.terminate()
    assert process.wait() == 0
    assert "secret" not in process.output
