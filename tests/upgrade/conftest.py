"""The previous release: its code in a folder of its own, its schema in the database."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.processes import ROOT, environment, manage
from tests.services.stack import PostgresStack
from tests.stacks import SERVICE, SqliteStack, Stack, ledger, rng, servers, show

__all__ = ["ledger", "rng", "servers", "show"]

COMMIT = (Path(__file__).parent / "PREVIOUS").read_text().strip()

Start = Callable[[], LiveServer]


@pytest.fixture(scope="session")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the previous release, its own tests' service included."""
    folder = tmp_path_factory.mktemp("previous")
    if _git("cat-file", "-e", COMMIT).returncode:  # a shallow clone
        _git("fetch", "--quiet", "--depth", "1", "origin", COMMIT).check_returncode()
    archive = _git("archive", "--format=tar", COMMIT)
    archive.check_returncode()
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


def _git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def stack(request: pytest.FixtureRequest, tmp_path: Path, previous: Path) -> Iterator[Stack]:
    """As in the other tests, but migrated by the previous release."""
    if request.param == "sqlite":
        yield SqliteStack(tmp_path / "data")
        return
    urls = request.getfixturevalue("servers")
    chosen = {"HEADWAY_APPS": SERVICE}
    database, redis = urls["TEST_DATABASE_URL"], urls["TEST_REDIS_URL"]
    with PostgresStack(database, redis, chosen, empty=True) as made:
        env = {**environment(tmp_path / "data"), **chosen, **made.env}
        manage(env, "migrate", "--verbosity", "0", python=sys.executable, cwd=previous)
        yield made


@pytest.fixture
def env(stack: Stack) -> dict[str, str]:
    return {
        "HEADWAY_APPS": SERVICE,
        "HEADWAY_AUTHZ": f"{SERVICE}.authz.everybody",
        "HEADWAY_POLL": "0.1",
        "HEADWAY_LEASE": "2",
        "HEADWAY_GRACE": "0.5",
        # Each takes no more than a few at once, so that both have some.
        "HEADWAY_CONCURRENCY": "4",
        **stack.env,
    }


@pytest.fixture
def old(live: Callable[..., LiveServer], env: dict[str, str], previous: Path) -> LiveServer:
    """A process of the previous release; its first start migrates an empty database."""
    return live(env, cwd=previous)


@pytest.fixture
def new(live: Callable[..., LiveServer], env: dict[str, str]) -> LiveServer:
    return live(env)
