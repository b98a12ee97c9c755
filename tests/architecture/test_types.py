"""What mypy says of calls, pyright says too: see ``tests/tasks/typed.py``."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TYPED = ROOT / "tests" / "tasks" / "typed.py"


def test_pyright_refuses_the_same_calls() -> None:
    command = [sys.executable, "-m", "basedpyright", "--level", "error", "--outputjson"]
    done = subprocess.run(
        [*command, "--pythonpath", sys.executable, str(TYPED)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout)["generalDiagnostics"]
    found = {one["range"]["start"]["line"] + 1: one["message"] for one in told}
    lines = TYPED.read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if "# type: ignore[" in line}
    assert wrong
    assert found.keys() == wrong, found
