"""Who is compared: how each is set up, and one worker process of it started."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import ROOT

__all__ = ["Side", "sides"]

_AT_ONCE = "100"  # tasks at once, where a worker can


@dataclass(frozen=True)
class Side:
    """One system with the settings its own documentation recommends for such tasks."""

    name: str
    #: Module of ``apps`` that enqueues.
    app: str
    python: str
    #: Arguments of *python*.
    worker: Sequence[str]
    setup: Sequence[Sequence[str]] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def prepare(self, env: Mapping[str, str]) -> None:
        for arguments in self.setup:
            subprocess.run(
                [self.python, *arguments],
                cwd=ROOT,
                env=dict(env),
                check=True,
                stdout=subprocess.DEVNULL,
            )


def sides(rivals: Path) -> list[Side]:
    """*rivals*: the Python that has them installed."""
    theirs = str(rivals)
    celery = ("-m", "celery", "-A", "tests.bench.rivals.apps.oncelery", "worker", "-l", "ERROR")
    procrastinate = ("-m", "procrastinate", "--app=tests.bench.rivals.apps.onprocrastinate.app")
    django = {"DJANGO_SETTINGS_MODULE": "tests.bench.rivals.apps.djangodb.settings"}
    return [
        Side(
            "Headway",
            "headway",
            sys.executable,
            ("manage.py", "headway_worker"),
            setup=[("manage.py", "migrate", "--no-input", "--verbosity", "0")],
            env={
                "DJANGO_SETTINGS_MODULE": "asgi_app.settings",
                "HEADWAY_APPS": "tests.bench.rivals.apps.onheadway",
                "HEADWAY_CONCURRENCY": _AT_ONCE,
                "LOG_LEVEL": "WARNING",
                "SECRET_KEY": "only for a benchmark",
            },
        ),
        Side(
            "procrastinate",
            "onprocrastinate",
            theirs,
            (*procrastinate, "worker", "--concurrency", _AT_ONCE),
            setup=[(*procrastinate, "schema", "--apply")],
        ),
        Side("Celery, solo", "oncelery", theirs, (*celery, "--pool", "solo")),
        Side("Celery, threads", "oncelery", theirs, (*celery, "--pool", "threads", "-c", _AT_ONCE)),
        Side(
            "django-tasks-db",
            "ondjangodb",
            theirs,
            ("-m", "django", "db_worker", "--no-startup-delay"),
            setup=[("-m", "django", "migrate", "--no-input", "--verbosity", "0")],
            env=django,
        ),
    ]
