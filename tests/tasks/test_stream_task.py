"""What a project gets by a subclass: its own table, and a check of its process()."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import CheckMessage

from tasks.models import StreamTask
from tasks.streaming.lookup import stream_models
from tests.processes import ROOT, environment
from tests.streamed.models import ExampleTask

MODELS = """
from django.db import models
from tasks.models import StreamTask


class Import(StreamTask):
    name = models.CharField(max_length=20)

    async def process(self):
        return self.name
"""
OWN = {"id", "name", "created_at", "updated_at", "completed_at", "final_value", "run_id"}


def manage(app: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    env = environment(app.parent / "data") | {"HEADWAY_APPS": app.name}
    env["PYTHONPATH"] = f"{app.parent}:{ROOT}"
    command = [sys.executable, "-m", "django", *arguments, "--settings", "asgi_app.settings"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.mark.timeout(180)  # Django starts twice
def test_makemigrations_makes_its_own_table_and_nothing_else(tmp_path: Path) -> None:
    app = tmp_path / "imports"
    (app / "migrations").mkdir(parents=True)
    for name in ("__init__.py", "migrations/__init__.py"):
        (app / name).touch()
    (app / "models.py").write_text(MODELS)
    made = manage(app, "makemigrations")
    assert made.returncode == 0, made.stderr
    assert made.stdout.count("Migrations for ") == 1
    assert made.stdout.count("+ ") == 1
    assert "+ Create model Import" in made.stdout
    text = (app / "migrations" / "0001_initial.py").read_text()
    assert "headway" not in text
    assert all(f"'{name}'" in text for name in OWN)
    assert manage(app, "makemigrations", "--check").returncode == 0


def checked(model: type[StreamTask]) -> list[CheckMessage]:
    return [message for message in model.check() if message.id == "headway.E020"]


def test_process_must_be_a_coroutine_function(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [message for model in stream_models() for message in checked(model)] == []
    for process in (lambda self: None, StreamTask.process):
        monkeypatch.setattr(ExampleTask, "process", process)
        assert "async def" in checked(ExampleTask)[0].msg


def test_a_project_that_starts_none_need_not_have_a_queue_for_them(tmp_path: Path) -> None:
    program = """
import sys
import django
from django.conf import settings
settings.TASKS["default"]["QUEUES"] = ["mail", "reports"]
django.setup()
import consumers.admin, consumers.urls, tasks.coordinator
assert "tasks.stream_run" not in sys.modules
from tasks.stream_run import run_stream_task
print(run_stream_task.queue_name)
"""
    env = environment(tmp_path) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("mail\n", "")
