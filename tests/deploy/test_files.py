"""What cannot be run here: its form by whoever knows it, its content by what it names."""

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from daphne.cli import CommandLineInterface
from django.core.management import get_commands, load_command_class

from asgi_app import settings as service
from tasks.conf import Conf, documented
from tests.deploy.shipped import (
    COMPOSE,
    DEPLOY,
    Command,
    commands,
    dockerfile,
    kubernetes,
    pods,
    read,
    variables,
)
from tests.deploy.units import PYTHON, Unit, seconds
from tests.processes import ROOT

UNITS = sorted(path.name for path in (DEPLOY / "systemd").iterdir() if path.suffix != ".env")
LEAST = Conf().grace + 2  # seconds within which a process has ended
# Of the shell, Django, Python and pip; and the one that ALLOWED_HOSTS is put together with.
PIP = {"PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_CACHE_DIR"}
NOT_OURS = {"PATH", "DJANGO_SETTINGS_MODULE", "PYTHONUNBUFFERED", "POD_IP", *PIP}


def tool(name: str, *arguments: str) -> None:
    """Run a program of the virtual environment; what it complains of fails the test."""
    program = Path(sys.executable).parent / name
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# Form


def test_hadolint_has_nothing_to_say() -> None:
    tool("hadolint", str(DEPLOY / "Dockerfile"))


def test_compose_is_what_its_schema_wants() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    tool("check-jsonschema", *schema, str(DEPLOY / "compose.yaml"))


@pytest.mark.parametrize(
    ("name", "document"),
    [pytest.param(*each, id=f"{each[0]}-{each[1]['kind']}") for each in kubernetes()],
)
def test_kubernetes_knows_every_field(name: str, document: dict[str, Any]) -> None:
    version = kubernetes_validate.latest_version()
    kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("name", UNITS)
def test_systemd_knows_every_line(name: str, tmp_path: Path) -> None:
    """Where there is systemd to ask; that the units say what they must, others test."""
    sections = {"Unit", "Service", "Socket", "Install"}
    assert set(re.findall(r"^\[(.*)\]$", read(f"systemd/{name}"), re.M)) <= sections
    if program := shutil.which("systemd-analyze"):
        for other in UNITS:
            text = read(f"systemd/{other}").replace(PYTHON, sys.executable)
            (tmp_path / other.replace("@", "@1")).write_text(text)
        unit = str(tmp_path / name.replace("@", "@1"))
        done = subprocess.run(
            [program, "verify", unit], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


# What they name


def known_variables() -> set[str]:
    assert service.__doc__
    return {
        *re.findall(r"^``([A-Z_]+)``", service.__doc__, re.M),
        *(f"HEADWAY_{key}" for key, _, _, _ in documented()),
        *NOT_OURS,
    }


def test_every_variable_is_one_of_the_service() -> None:
    named = list(variables())
    assert len({place for place, _ in named}) > 8  # or they were not found
    assert [each for each in named if each[1] not in known_variables()] == []


@pytest.mark.parametrize(
    "command", [pytest.param(each, id=f"{each.place}: {each.words[2]}") for each in commands()]
)
def test_every_command_is_one(command: Command) -> None:
    match command.words:
        case ["python" | "/opt/headway/bin/python", "-m", "daphne", *arguments]:
            parsed = CommandLineInterface().parser.parse_args(arguments)
            module, _, name = parsed.application.partition(":")
            assert callable(getattr(importlib.import_module(module), name))
            assert parsed.proxy_headers
            # daphne closes with 1000 then, which says that the run has finished.
            assert parsed.websocket_timeout == -1
            assert parsed.http_timeout is None  # it would cut event streams
        case ["python" | "/opt/headway/bin/python", "-m", "django", name, *arguments]:
            found = load_command_class(get_commands()[name], name)
            found.create_parser("django", name).parse_args(arguments)
        case _:
            raise AssertionError(command)


async def test_the_autoscaler_asks_for_a_metric_that_there_is(
    transactional_db: None, settings: Any
) -> None:
    from django.test import AsyncClient

    (scaler,) = (spec for _, spec in kubernetes() if spec["kind"] == "HorizontalPodAutoscaler")
    wanted = scaler["spec"]["metrics"][0]["external"]["metric"]
    (label, value), *_ = wanted["selector"]["matchLabels"].items()
    settings.HEADWAY = {"METRICS_TOKEN": "token"}
    answer = await AsyncClient().get("/metrics", headers={"Authorization": "Bearer token"})
    assert f'{wanted["name"]}{{{label}="{value}"}}' in answer.content.decode()
    assert f"seriesQuery: {wanted['name']}" in read("kubernetes/values/prometheus-adapter.yaml")


# What they have to agree on


def test_ports() -> None:
    (address,) = Unit("headway-web.socket").all("Socket", "ListenStream")
    upstreams = re.findall(r"^ +server (\S+)", read("nginx-upstream.conf"), re.M)
    assert set(upstreams) == {address}
    instructions = dict(dockerfile())
    port = instructions["EXPOSE"]
    assert f'"-p", "{port}"' in instructions["CMD"]
    upstream = COMPOSE["configs"]["upstream"]["content"]
    web = [name for name in COMPOSE["services"] if name.startswith("web-")]
    assert re.findall(r"server (\S+)", upstream) == [f"{name}:{port}" for name in web]
    for name, spec in pods():
        for container in spec["containers"]:
            for entry in container.get("ports", ()):
                assert (entry["name"], entry["containerPort"]) == ("http", int(port)), name


def test_a_stop_has_the_time_that_it_may_take() -> None:
    for name in ("headway.service", "headway-web@.service", "headway-worker@.service"):
        assert seconds(Unit(name).one("Service", "TimeoutStopSec")) > LEAST, name
    for name, part in COMPOSE["services"].items():
        if part.get("build"):
            assert seconds(part["stop_grace_period"].removesuffix("s")) > LEAST, name
    for name, spec in pods():
        if name != "migrate.yaml":
            hook = spec["containers"][0].get("lifecycle", {}).get("preStop", {})
            waits = hook.get("sleep", {}).get("seconds", 0)
            assert spec["terminationGracePeriodSeconds"] > LEAST + waits, name


def test_a_silent_stream_is_not_cut_off() -> None:
    (limit,) = re.findall(r"proxy_read_timeout (\d+)s;", read("nginx.conf"))
    assert int(limit) > 2 * Conf().heartbeat
    assert f'nginx.ingress.kubernetes.io/proxy-read-timeout: "{limit}"' in read(
        "kubernetes/ingress.yaml"
    )


def test_kubernetes_selects_what_there_is() -> None:
    documents = [document for _, document in kubernetes()]
    labels = {
        document["metadata"]["name"]: document["spec"]["template"]["metadata"]["labels"]
        for document in documents
        if document["kind"] == "Deployment"
    }
    assert set(labels) == {"headway-web", "headway-worker"}
    for document in documents:
        name, spec = document["metadata"]["name"], document.get("spec", {})
        match document["kind"]:
            case "Deployment" | "PodDisruptionBudget":
                assert spec["selector"]["matchLabels"] == labels[name]
            case "Service":
                assert spec["selector"] == labels[name]
            case "HorizontalPodAutoscaler":
                assert spec["scaleTargetRef"]["name"] in labels
            case "Ingress":
                backend = spec["rules"][0]["http"]["paths"][0]["backend"]["service"]
                assert backend == {"name": "headway-web", "port": {"name": "http"}}


# What must not be


def test_the_image_runs_as_nobody_and_keeps_no_secret() -> None:
    instructions = list(dockerfile())
    last = dict(instructions)
    assert int(last["USER"]) > 0
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert "SECRET" not in "".join(rest for name, rest in instructions if name in {"ENV", "ARG"})
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored  # all but what is named
    for name, rest in instructions:
        if name == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert any(line.startswith(f"!{source.rstrip('/')}") for line in ignored), source


def test_nothing_runs_as_root() -> None:
    for name in UNITS:
        if name.endswith(".service"):
            assert Unit(name).one("Service", "User") == "headway", name
    for name, spec in pods():
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        for container in spec["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
