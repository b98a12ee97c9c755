"""Starting the client process, and what it reports."""

import dataclasses
import json
import subprocess
import sys
from types import TracebackType
from typing import Self

from tests.bench.spec import Report, Spec
from tests.processes import ROOT

__all__ = ["Watchers"]


class Watchers:
    """Clients that watch one run; all are up to date when the block begins."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec

    def __enter__(self) -> Self:
        text = json.dumps(dataclasses.asdict(self._spec))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.client", text],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        if (line := self._line()) != "ready":
            raise AssertionError(f"not all watchers got through: {line}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def report(self) -> Report:
        """What they got, once all have got everything; an error if that was not the log."""
        report = Report(**json.loads(self._line()))
        if report.wrong:
            problems = "\n  ".join(report.wrong[:5])
            raise AssertionError(f"{len(report.wrong)} watchers went wrong:\n  {problems}")
        return report

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()
