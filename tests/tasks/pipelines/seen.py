"""What is seen of a pipeline."""

from typing import Any, NamedTuple

from tasks.models import TaskRun

__all__ = ["Seen"]


class Seen(NamedTuple):
    #: Type and data of its events.
    told: list[tuple[str, Any]]
    #: Its stages' runs by the stages' names.
    runs: dict[str, TaskRun]

    @property
    def stages(self) -> list[tuple[str, str]]:
        """What is told of stages, in order: what became of which."""
        return [
            (type_.removeprefix("stage."), data["stage"])
            for type_, data in self.told
            if type_.startswith("stage.")
        ]

    @property
    def statuses(self) -> dict[str, str]:
        return {name: run.status for name, run in self.runs.items()}
