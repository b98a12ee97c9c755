"""The servers that are compared, and what is asked of both in the same words."""

import urllib.request
from pathlib import Path

from tests.bench.app.authz import everybody
from tests.live import LiveServer

__all__ = ["APPS", "bare", "get", "headway"]

APPS = "tests.bench.app"


def headway(folder: Path) -> LiveServer:
    """Headway as it is served, with its default settings."""
    authz = f"{everybody.__module__}.{everybody.__qualname__}"
    env = {"HEADWAY_APPS": APPS, "HEADWAY_AUTHZ": authz}
    return LiveServer(folder / "headway", env)


def bare(folder: Path) -> LiveServer:
    """The same daphne, with an application of one page."""
    return LiveServer(
        folder / "bare",
        {"DATABASE_URL": "none"},
        application="tests.bench.bare:application",
    )


def get(server: LiveServer, path: str) -> str:
    with urllib.request.urlopen(f"{server.url}{path}", timeout=60) as response:
        text: str = response.read().decode()
        return text
