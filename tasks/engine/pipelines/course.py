"""How far a pipeline is, as its log tells."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tasks.codec import decode
from tasks.engine.store import StageRun
from tasks.events import STAGE_FINISHED, STAGE_SKIPPED, STAGE_STARTED, STOPPING
from tasks.states import TERMINAL

__all__ = ["SKIPPED", "Course", "courses"]

#: What a stage has come to that never began; beside the states of a run that has ended.
SKIPPED = "SKIPPED"


@dataclass(slots=True)
class Course:
    """The stages that have begun, and what those have come to that are over."""

    runs: dict[str, UUID] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    #: Type and message, of those that have not succeeded.
    errors: dict[str, Any] = field(default_factory=dict)
    #: What its watchers know to have been asked of it: ``stop``, ``kill`` or nothing.
    asked: str = ""

    @property
    def live(self) -> dict[str, UUID]:
        """Stages under way, as far as the log tells, and their runs."""
        return {stage: run for stage, run in self.runs.items() if stage not in self.ended}

    def lags(self, found: Mapping[UUID, StageRun], request: str) -> bool:
        """Whether something has happened to the runs in *found* of which it does not tell."""
        live = [found.get(run) for run in self.live.values()]
        failing = request or any(status != "SUCCESSFUL" for status in self.ended.values())
        return not live or any(
            run is None or run.status in TERMINAL or (failing and not run.cancel_requested)
            for run in live
        )


def courses(told: Iterable[tuple[UUID, str, str]]) -> dict[UUID, Course]:
    """From what logs say of stages: pipeline, type and data of events in order."""
    found: dict[UUID, Course] = {}
    for pipeline, type_, text in told:
        course, data = found.setdefault(pipeline, Course()), decode(text)
        if type_ == STAGE_STARTED:
            course.runs[data["stage"]] = UUID(data["run"])
        elif type_ == STAGE_FINISHED:
            course.ended[data["stage"]] = data["status"]
            course.errors[data["stage"]] = data["error"]
        elif type_ == STAGE_SKIPPED:
            course.ended[data["stage"]] = SKIPPED
        elif type_ == STOPPING:
            course.asked = data["request"]
    return found
