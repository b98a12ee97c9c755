"""The settings as a new process reads them from its environment."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT, environment

PROGRAM = """
import json, sys
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""


def load(folder: Path, *names: str, **env: str) -> dict[str, Any]:
    done = run([sys.executable, "-c", PROGRAM, *names], folder, **env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def refused(folder: Path, **env: str) -> str:
    """What is said in the last line of a start that fails."""
    done = run([sys.executable, "-c", "import asgi_app.asgi"], folder, **env)
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


def run(command: list[str], folder: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment(folder) | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_secure_by_default(tmp_path: Path) -> None:
    names = ("DEBUG", "ALLOWED_HOSTS", "SECRET_KEY", "HEADWAY", "HEADWAY_APPS", "CHANNEL_LAYERS")
    found = load(tmp_path / "data", *names, "SESSION_COOKIE_SECURE", "DATABASES")

    assert found["DEBUG"] is False
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert found["SECRET_KEY"] == (tmp_path / "data" / "secret_key").read_text().strip()
    assert found["HEADWAY"] == {}
    assert found["HEADWAY_APPS"] == []
    assert found["SESSION_COOKIE_SECURE"] is False  # this machine only
    assert found["DATABASES"]["default"]["NAME"] == str(tmp_path / "data" / "db.sqlite3")
    assert found["CHANNEL_LAYERS"]["default"]["BACKEND"] == "asgi_app.memorylayer.MemoryLayer"


def test_everything_given(tmp_path: Path) -> None:
    found = load(
        tmp_path / "none",
        "SECRET_KEY",
        "DEBUG",
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_HSTS_SECONDS",
        "INSTALLED_APPS",
        "HEADWAY",
        "CHANNEL_LAYERS",
        "DATABASES",
        "LOGGING",
        SECRET_KEY="x" * 50,
        DEBUG="yes",
        ALLOWED_HOSTS="example.org, www.example.org",
        CSRF_TRUSTED_ORIGINS="https://example.org",
        DATABASE_URL=f"sqlite:///{tmp_path}/other.sqlite3",
        REDIS_URL="redis://localhost:6379/1",
        HEADWAY_APPS="tests.app",
        HEADWAY_GRACE="2",
        LOG_LEVEL="WARNING",
    )

    assert found["SECRET_KEY"] == "x" * 50
    assert found["DEBUG"] is True
    assert found["ALLOWED_HOSTS"] == ["example.org", "www.example.org"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://example.org"]
    assert found["SESSION_COOKIE_SECURE"] is found["CSRF_COOKIE_SECURE"] is True
    assert found["SECURE_HSTS_SECONDS"] > 0
    assert found["INSTALLED_APPS"][-1] == "tests.app"
    assert found["HEADWAY"] == {"GRACE": 2}
    (host,) = found["CHANNEL_LAYERS"]["default"]["CONFIG"]["hosts"]
    assert (host["address"], host["db"]) == ("redis://localhost:6379", 1)
    assert found["LOGGING"]["root"]["level"] == "WARNING"
    assert not (tmp_path / "none").exists()  # nothing is kept where nothing has to be


def test_plain_http_for_others_has_to_be_asked_for(tmp_path: Path) -> None:
    found = load(tmp_path, "SESSION_COOKIE_SECURE", ALLOWED_HOSTS="10.0.0.1", HTTPS="off")

    assert found["SESSION_COOKIE_SECURE"] is False


def test_the_demo_opens_its_own_tasks(tmp_path: Path) -> None:
    loaded = load(tmp_path, "HEADWAY", HEADWAY_APPS="asgi_app.demo")["HEADWAY"]
    chosen = load(tmp_path, "HEADWAY", HEADWAY_APPS="asgi_app.demo", HEADWAY_AUTHZ="a.b")

    assert loaded == {"AUTHZ": "asgi_app.demo.authz.open_demo"}
    assert chosen["HEADWAY"] == {"AUTHZ": "a.b"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "nonsense"),
        ("REDIS_URL", "nonsense"),
        ("LOG_LEVEL", "nonsense"),
        ("LOG_FORMAT", "xml"),
        ("HEADWAY_APPS", "no_such_app"),
        ("HEADWAY_DATA", "/dev/null/data"),
        ("HEADWAY_ROLE", "nonsense"),
        ("HEADWAY_LEASSE", "5"),
    ],
)
def test_a_bad_variable_is_named_at_the_start(tmp_path: Path, name: str, value: str) -> None:
    said = refused(tmp_path, **{name: value})

    assert said.startswith("django.core.exceptions.ImproperlyConfigured: ")
    # A key of HEADWAY is named as the setting it becomes.
    assert name.replace("HEADWAY_ROLE", "ROLE").replace("HEADWAY_LEASSE", "LEASSE") in said


def test_a_bad_key_is_an_error_of_the_system_check(tmp_path: Path) -> None:
    done = run(
        [sys.executable, "manage.py", "check"], tmp_path, HEADWAY_LEASSE="5", HEADWAY_SHARDS="few"
    )

    assert done.returncode != 0
    assert "headway.E001" in done.stderr
    assert "'LEASSE'" in done.stderr
    assert "'SHARDS'" in done.stderr


def test_importing_the_application_starts_nothing(tmp_path: Path) -> None:
    program = (
        "import signal, threading; before = signal.getsignal(signal.SIGTERM);"
        "import asgi_app.asgi; assert signal.getsignal(signal.SIGTERM) is before;"
        "print([thread.name for thread in threading.enumerate()])"
    )

    done = run([sys.executable, "-c", program], tmp_path)

    assert done.stdout.strip() == "['MainThread']", done.stderr
