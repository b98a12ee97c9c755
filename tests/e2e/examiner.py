"""schemathesis: asks a server for what its description allows, and for what it does not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.live import LiveServer
from tests.processes import ROOT

__all__ = ["Answer", "examine"]

# All of its checks, and all ways in which it finds cases. What answers say is not learnt from,
# but for the runs that it has enqueued itself: others have their watchers.
_SETTINGS = """\
hooks = "tests.e2e.described.hooks"
continue-on-failure = true
max-stream-events = 3
request-timeout = 60.0  # a loaded machine takes its time
cache.enabled = false
generation = {{ database = "none", no-shrink = true }}
headers = {headers}

[phases]
coverage.enabled = {coverage}
examples.extra-data-sources.responses = false
coverage.extra-data-sources.responses = false
fuzzing.extra-data-sources.responses = false

[dictionaries]
tasks.values = ["tests.e2e.described.tasks.anything"]
apps.values = ["streamed"]
models.values = ["ExampleTask"]
keys.values = ["1", "2"]

[parameters]
"body.task" = {{ dictionary = "tasks", probability = 0.7 }}
"path.app_label" = {{ dictionary = "apps", probability = 0.9 }}
"path.model_name" = {{ dictionary = "models", probability = 0.9 }}
# What is no key is known by the model alone.
"path.pk" = {{ dictionary = "keys", probability = 1.0 }}

# After the first event it says what happens, which may be nothing.
[[operations]]
include-operation-id = "list_runs"
max-stream-events = 1
"""


class Answer(NamedTuple):
    #: Method and path, as they are described.
    operation: str
    status: int
    media_type: str


def examine(
    server: LiveServer,
    folder: Path,
    *,
    cases: int,
    seed: int,
    headers: Mapping[str, str],
    lingering: Sequence[str],
    done: Sequence[str],
    coverage: bool = True,
) -> list[Answer]:
    """Every answer to *cases* fuzzed requests for each operation, and with *coverage* some 450
    for the edges of each parameter.

    Fails with what schemathesis found to be wrong. It knows as many runs that go on as such
    that have ended.
    """
    folder.mkdir()
    pairs = (f"{json.dumps(name)} = {json.dumps(value)}" for name, value in headers.items())
    written = _SETTINGS.format(headers=f"{{ {', '.join(pairs)} }}", coverage=json.dumps(coverage))
    (folder / "settings.toml").write_text(written)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "settings.toml", "run"]
    command += [f"{server.url}/tasks/openapi.json", "--checks", "all", "--no-color"]
    command += ["--max-examples", str(cases), "--seed", str(seed)]
    command += ["--report-ndjson-path", "report.ndjson"]
    ended = subprocess.run(
        command,
        cwd=folder,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "LINGERING": " ".join(lingering), "DONE": " ".join(done)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return list(_answers(folder / "report.ndjson"))


def _answers(report: Path) -> Iterator[Answer]:
    with report.open() as lines:
        for line in lines:
            scenario = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            for case_id, exchange in scenario.get("interactions", {}).items():
                case = scenario["cases"][case_id]["value"]
                response = exchange["response"]
                (media_type,) = response["headers"].get("content-type", [""])
                yield Answer(
                    f"{case['method']} {case['path']}",
                    response["status_code"],
                    media_type.partition(";")[0],
                )
