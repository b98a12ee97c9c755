"""What a pipeline does next: a pure function of its plan and of what its stages have come to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.engine.pipelines.course import SKIPPED
from tasks.states import RunStatus

__all__ = ["Moves", "next_moves"]


@dataclass(slots=True)
class Moves:
    """Names of stages, in the order of the plan."""

    start: list[str] = field(default_factory=list)
    skip: list[str] = field(default_factory=list)
    #: Asked of the stages that are under way: ``stop``, ``kill`` or nothing.
    cancel: str = ""
    #: What becomes of the pipeline; None: it goes on.
    end: RunStatus | None = None
    #: The stage whose failure, the first of all, fails the pipeline.
    culprit: str | None = None


def next_moves(
    plan: Mapping[str, Any], ended: Mapping[str, str], live: Collection[str], request: str
) -> Moves:
    """*ended* has what each stage has come to, in that order, *live* those under way.

    *request* is what was asked of the pipeline: ``stop``, ``kill`` or nothing.
    """
    stages = plan["stages"]
    waiting = [one for one in stages if one["name"] not in ended and one["name"] not in live]
    named = {one["name"]: one for one in stages}
    culprit = next((name for name in ended if _failed(named[name], ended)), None)
    halts = culprit is not None and plan["on_failure"] == "stop"
    moves = Moves(culprit=culprit)
    if request or halts:
        moves.cancel = request or "stop"
        if not live:
            moves.skip = [one["name"] for one in waiting]
            moves.end = RunStatus.CANCELLED if request else RunStatus.FAILED
        return moves
    _go_on(moves, waiting, named, dict(ended))
    if not live and not moves.start:
        moves.end = RunStatus.SUCCESSFUL if culprit is None else RunStatus.FAILED
    return moves


def _go_on(
    moves: Moves, waiting: list[Any], stages: Mapping[str, Any], ended: dict[str, str]
) -> None:
    """Start what has all it needs; skip what will never have it, and what needs that."""
    names = [one["name"] for one in waiting]
    more = True
    while more:
        more = False
        for name in names:
            needs = stages[name]["needs"]
            if name in ended or name in moves.start:
                continue
            if any(_lacking(stages[need], ended) for need in needs):
                moves.skip.append(name)
                ended[name] = SKIPPED
                more = True
            elif all(need in ended for need in needs):
                moves.start.append(name)


def _failed(stage: Mapping[str, Any], ended: Mapping[str, str]) -> bool:
    return not stage["optional"] and ended.get(stage["name"]) in (
        RunStatus.FAILED,
        RunStatus.CANCELLED,
    )


def _lacking(stage: Mapping[str, Any], ended: Mapping[str, str]) -> bool:
    """Whether *stage* has ended without what those that need it need."""
    return _failed(stage, ended) or ended.get(stage["name"]) == SKIPPED
