"""What users install: everything it needs, nothing of ours beside it."""

import re
import sys
from contextlib import suppress
from email.message import Message
from email.parser import HeaderParser
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.architecture.rules import sources
from tests.processes import ROOT
from tests.wheel import wheel

PACKAGES = ("asgi_app", "consumers", "tasks")


@pytest.fixture(scope="module")
def names() -> list[str]:
    with ZipFile(wheel()) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def metadata() -> Message:
    with ZipFile(wheel()) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        return HeaderParser().parsestr(archive.read(name).decode())


def test_holds_the_three_packages_and_nothing_else(names: list[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_holds_every_file_of_the_packages(names: list[str]) -> None:
    def shipped(path: Path) -> bool:
        return path.is_file() and "__pycache__" not in path.parts

    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if shipped(path)
    }
    assert expected <= set(names)


@pytest.mark.parametrize(
    "pattern",
    [
        "tasks/py.typed",
        "consumers/py.typed",
        "asgi_app/py.typed",
        "tasks/migrations/0001_initial.py",
        "asgi_app/demo/migrations/0001_initial.py",
        "consumers/static/headway/headway.js",
        "consumers/static/headway/*.d.ts",
        "consumers/static/headway/elements.js",
        "asgi_app/demo/templates/*.html",
        "consumers/templates/headway/run.html",
        "asgi_app/demo/data/*.csv",
        "*.dist-info/licenses/LICENSE",
    ],
)
def test_holds(pattern: str, names: list[str]) -> None:
    assert [name for name in names if fnmatch(name, pattern)]


@pytest.mark.parametrize(
    "pattern", ["*tests*", "*.headway*", "*sqlite3*", "*secret_key*", "*.pyc", "*conftest*"]
)
def test_holds_no(pattern: str, names: list[str]) -> None:
    assert [name for name in names if fnmatch(name, pattern)] == []


def test_says_what_it_is(metadata: Message) -> None:
    assert metadata["Name"] == "django-headway"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert set(metadata.get_all("Provides-Extra", [])) == {
        *("postgres", "metrics", "otel", "client", "agents")
    }


def test_asks_for_the_core_and_leaves_extras_to_be_asked_for(metadata: Message) -> None:
    wanted = metadata.get_all("Requires-Dist", [])
    core = {need.split(">")[0].lower() for need in wanted if "extra ==" not in need}
    assert core == {
        *("django", "channels", "channels-redis", "daphne", "asgiref", "anyio", "django-tasks")
    }


def test_asks_for_all_that_it_imports(metadata: Message) -> None:
    """The environment of the tests has more packages than a user's."""
    owners = packages_distributions()
    imported = {name.split(".")[0] for source in sources(ROOT) for _, name in source.imports()}
    others = imported - set(sys.stdlib_module_names) - set(PACKAGES)
    requirements = metadata.get_all("Requires-Dist", [])
    asked = closure(requirements)
    missing = {top for top in others if not asked & set(map(normal, owners.get(top, [top])))}
    # Imported only where the database is PostgreSQL, or where it is installed.
    extra = {"psycopg", "prometheus_client", "opentelemetry", "httpx", "httpx2", "jsonschema"}
    assert missing == extra | {"referencing"}  # which jsonschema is built on
    for name in (
        "psycopg[",
        "prometheus-client",
        "opentelemetry-api",
        "httpx>",
        "httpx2>",
        "jsonschema>",
    ):
        assert any(need.startswith(name) and "extra ==" in need for need in requirements)


def closure(wanted: list[str]) -> set[str]:
    """The distributions that come with *wanted* when no extra is asked for."""
    found: set[str] = set()
    queue = list(wanted)
    while queue:
        need = queue.pop()
        name = normal(re.split(r"[^\w.-]", need)[0])
        if name not in found and "extra ==" not in need:
            found.add(name)
            with suppress(PackageNotFoundError):  # one for another platform
                queue += requires(name) or []
    return found


def normal(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()
