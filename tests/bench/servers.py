"""The servers that are compared, and what is asked of both in the same words."""

import sys
import urllib.request
from pathlib import Path

from tests.bench.app.authz import everybody
from tests.live import LiveServer

__all__ = ["APPS", "bare", "get", "headway", "naive", "plain"]

APPS = "tests.bench.app"


def headway(folder: Path, redis: str | None = None) -> LiveServer:
    """Headway as it is served, with its default settings."""
    authz = f"{everybody.__module__}.{everybody.__qualname__}"
    env = {"HEADWAY_APPS": APPS, "HEADWAY_AUTHZ": authz}
    return LiveServer(folder / "headway", env | _layer(redis))


def bare(folder: Path) -> LiveServer:
    """The same daphne, with an application of one page."""
    return _other(folder, "bare")


def naive(folder: Path, redis: str | None = None) -> LiveServer:
    """The same daphne and channels, with a group for each run."""
    return _other(folder, "naive", redis)


class _Plain(LiveServer):
    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.bench.plain", str(self.port)]


def plain(folder: Path) -> LiveServer:
    """No daphne: asyncio."""
    return _Plain(folder / "plain", {"DATABASE_URL": "none"})


def _other(folder: Path, name: str, redis: str | None = None) -> LiveServer:
    return LiveServer(
        folder / name,
        {"DATABASE_URL": "none"} | _layer(redis),
        application=f"tests.bench.{name}:application",
    )


def _layer(redis: str | None) -> dict[str, str]:
    return {"REDIS_URL": redis} if redis else {}


def get(server: LiveServer, path: str) -> str:
    with urllib.request.urlopen(f"{server.url}{path}", timeout=60) as response:
        text: str = response.read().decode()
        return text
