"""Which tasks a process knows."""

import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT, environment

PROGRAM = """
import sys, django
django.setup()
from tasks.definition import registry
assert "shop.tasks" in sys.modules
print([name for name in registry.known() if name.startswith("shop.")])
"""


def test_those_of_apps_are_found_when_django_starts(tmp_path: Path) -> None:
    app = tmp_path / "shop"
    app.mkdir()
    (app / "__init__.py").write_text("")
    (app / "tasks.py").write_text("from tasks import task\n@task\ndef pack(): ...\n")
    env = environment(tmp_path) | {"HEADWAY_APPS": "shop", "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "['shop.tasks.pack']", done.stderr
