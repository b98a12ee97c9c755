"""The task whose runs are pipelines."""

from collections.abc import Mapping
from typing import Any

from tasks.engine.attempts.endings import Rests
from tasks.engine.pipelines import conductor
from tasks.pipelines.advance import conduct
from tasks.task import task

__all__ = ["pipeline"]

conductor.led_by(conduct)


@task(name="headway.pipeline", runner="async")
async def pipeline(plan: Mapping[str, Any]) -> Rests:
    """Leave the run to its stages: from here on it takes no room in any process."""
    stages = [{"name": one["name"], "needs": one["needs"]} for one in plan["stages"]]
    return Rests({"name": plan["name"], "stages": stages})
