"""The files of ``deploy/`` taken apart: variables, commands, ports, documents."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from tests.deploy.units import Unit
from tests.processes import ROOT

__all__ = [
    "COMPOSE",
    "DEPLOY",
    "Command",
    "commands",
    "dockerfile",
    "kubernetes",
    "pods",
    "read",
    "variables",
]

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNITS = sorted(path.name for path in (DEPLOY / "systemd").glob("*.service"))
# Of a kind that is no part of Kubernetes, so nothing here knows what it may say.
FOREIGN = ("podmonitor.yaml",)


class Command(NamedTuple):
    """A command line, and where it stands."""

    place: str
    words: list[str]


def dockerfile() -> Iterator[tuple[str, str]]:
    """Its instructions and what they say, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text())
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            yield name, rest


def kubernetes() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every document that Kubernetes itself understands, with the name of its file."""
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        if path.name not in FOREIGN:
            for document in yaml.safe_load_all(path.read_text()):
                yield path.name, document


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, document in kubernetes():
        if template := document.get("spec", {}).get("template"):
            yield name, template["spec"]


def commands() -> Iterator[Command]:
    for name in UNITS:
        for key in ("ExecStartPre", "ExecStart"):
            for line in Unit(name).all("Service", key):
                yield Command(name, shlex.split(line))
    for instruction, rest in dockerfile():
        if instruction == "CMD":
            yield Command("Dockerfile", json.loads(rest))
        elif instruction == "HEALTHCHECK":
            yield Command("Dockerfile", json.loads(rest[rest.index("[") :]))
    for name, service in COMPOSE["services"].items():
        for words in (service.get("command"), service.get("healthcheck", {}).get("test")):
            if words and "python" in words:
                yield Command(f"compose.yaml, {name}", words[words.index("python") :])
    for name, spec in pods():
        for container in spec["containers"]:
            if words := container.get("command"):
                yield Command(name, words)


def variables() -> Iterator[tuple[str, str]]:
    """(place, name) of every environment variable that is set for Headway."""
    for unit in UNITS:
        yield from ((unit, name) for name in Unit(unit).environment())
    for line in (DEPLOY / "systemd" / "headway.env").read_text().splitlines():
        if line and not line.startswith("#"):
            yield "headway.env", line.partition("=")[0]
    for instruction, rest in dockerfile():
        if instruction == "ENV":
            yield from (("Dockerfile", word.partition("=")[0]) for word in shlex.split(rest))
    for name, service in COMPOSE["services"].items():
        if service.get("build"):
            yield from ((f"compose.yaml, {name}", variable) for variable in service["environment"])
    for name, document in kubernetes():
        for variable in {**document.get("data", {}), **document.get("stringData", {})}:
            yield name, variable
    for name, spec in pods():
        for container in spec["containers"]:
            yield from ((name, entry["name"]) for entry in container.get("env", ()))


def read(name: str) -> str:
    return (DEPLOY / name).read_text()
