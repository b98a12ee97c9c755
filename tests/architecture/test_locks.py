"""The locks are plain, hold for every machine, and cover what pyproject.toml asks for."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"[a-z0-9.-]+==[0-9a-z.]+( ; .+)?")


def pins(name: str) -> list[str]:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return [line for line in lines if not line.startswith(("#", "-r "))]


@pytest.mark.parametrize("name", ["run.lock", "dev.lock"])
def test_a_lock_holds_plain_pins(name: str) -> None:
    assert [line for line in pins(name) if not PIN.fullmatch(line)] == []


def unlocked(wanted: list[str], locked: list[str]) -> list[str]:
    """The wanted requirements that no pin, or a pin out of range, answers."""
    versions: dict[str, list[str]] = {}
    for pin in map(Requirement, locked):
        versions.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier)[2:])
    return [
        text
        for text, need in zip(wanted, map(Requirement, wanted), strict=True)
        if not (found := versions.get(canonicalize_name(need.name), []))
        or not all(need.specifier.contains(version) for version in found)
    ]


def test_the_locks_follow_pyproject() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, dev = table["project"], table["dependency-groups"]["dev"]
    everything = [*chain(*project["optional-dependencies"].values(), dev)]
    assert unlocked(project["dependencies"], pins("run.lock")) == []
    assert unlocked(everything, pins("run.lock") + pins("dev.lock")) == []


def test_a_requirement_without_a_fitting_pin_is_found() -> None:
    wanted = ["Django>=5.2", "a_b>=2", "gone"]
    locked = ["django==5.2.1 ; python_version < '3.12'", "django==6.0", "a-b==1.0"]
    assert unlocked(wanted, locked) == ["a_b>=2", "gone"]
