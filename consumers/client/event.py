"""An event, as programs get it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from consumers.client.blocks import Block

__all__ = ["Event"]


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of a run's log."""

    #: Its number in the log: 1, 2, 3 … without a hole.
    seq: int
    type: str
    at: datetime
    #: Of a run: what the task emitted. Of a StreamTask: the event's own fields, and
    #: ``_task_id``, ``_app``, ``_model``.
    data: Any
    #: Nothing follows.
    last: bool
    #: Id of the run; None where a StreamTask is watched.
    run: str | None = None
    #: What ``watch`` and ``watch_task`` continue after.
    id: str = ""

    @classmethod
    def of_run(cls, block: Block) -> Self:
        """Raises ``ValueError`` or ``KeyError`` for a block that is no event of a run."""
        given = json.loads(block.data)
        at = datetime.fromisoformat(given["at"])
        type_ = given["type"]
        return cls(
            given["seq"], type_, at, given["data"], type_ == "finished", given["run"], block.id
        )

    @classmethod
    def of_task(cls, block: Block) -> Self:
        data = json.loads(block.data)
        at = datetime.fromisoformat(data.pop("_timestamp"))
        last = data.pop("_final", False) is True
        seq = int(block.id.partition("-")[0])
        return cls(seq, block.event, at, data, last, id=block.id)
