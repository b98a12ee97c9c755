"""How far a run is, as its newest progress event has it: tasks may emit anything there."""

import math
from dataclasses import dataclass
from typing import Any

__all__ = ["Progress", "duration"]


@dataclass(frozen=True, slots=True)
class Progress:
    done: float | None = None
    total: float | None = None
    message: str = ""
    #: Seconds left.
    eta: float | None = None

    @classmethod
    def of(cls, data: Any) -> "Progress":
        if not isinstance(data, dict):
            return cls()
        message = data.get("message")
        return cls(
            done=_number(data.get("done")),
            total=_number(data.get("total")),
            message=message if isinstance(message, str) else "",
            eta=_number(data.get("eta")),
        )

    @property
    def fraction(self) -> float | None:
        """From 0 to 1, if there is a total."""
        if self.done is None or not self.total or self.total < 0:
            return None
        return min(max(self.done / self.total, 0.0), 1.0)

    @property
    def percent(self) -> str:
        # Rounded down: only what is done is 100 %.
        return "" if self.fraction is None else f"{math.floor(self.fraction * 100)}%"

    @property
    def count(self) -> str:
        if self.done is None:
            return ""
        return f"{self.done:g}" if self.total is None else f"{self.done:g}/{self.total:g}"

    @property
    def short(self) -> str:
        return self.percent or self.count or "-"


def duration(seconds: float) -> str:
    """``0:07``, ``12:34`` or ``1:02:03``."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an int that no float holds
        return None
