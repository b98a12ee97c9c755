"""A pipeline whose processes die."""

import asyncio
from typing import Any

from tasks import task
from tasks.pipelines import Pipeline, Stage, payload, submit_pipeline, value
from tests.chaos.service.faults import die_once
from tests.chaos.service.marks import leave

__all__ = ["STAGES", "submit", "work"]

STAGES = 5


@task
async def work(path: str, number: int, before: int, pause: float) -> int:
    die_once(f"inside {number}")
    await asyncio.sleep(pause)  # how long it takes is what the test asks for
    leave(path, str(number))
    return before * 2 + number


def submit(path: str, pause: float = 0.0, count: int = 1) -> None:
    """Prints the ids of *count* pipelines, which are given 0, 1, …"""
    stages = [
        Stage(
            name=f"s{number}",
            target=work,
            args=[
                payload("path"),
                number,
                value(f"s{number - 1}") if number > 1 else payload("first"),
                payload("pause"),
            ],
        )
        for number in range(1, STAGES + 1)
    ]
    line = Pipeline("line", stages)
    for first in range(count):
        given: dict[str, Any] = {"path": path, "pause": pause, "first": first}
        print(submit_pipeline(line, payload=given).id)  # noqa: T201 - the test reads it
