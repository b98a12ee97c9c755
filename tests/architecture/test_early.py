"""What is imported before Django's apps are ready has no model in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, environment


@pytest.mark.parametrize("name", ["tasks", "asgi_app.application"])
def test_imported_before_apps_are_ready(name: str, tmp_path: Path) -> None:
    program = f"import sys, {name}; print([m for m in sys.modules if m == 'tasks.models'])"
    env = environment(tmp_path) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
