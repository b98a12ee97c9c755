"""How large a benchmark is, and how its repetitions are put together."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

__all__ = ["Plan", "interleaved", "median"]

Numbers = Mapping[str, float]


class Plan(NamedTuple):
    """*repeats* of everything, at *scale* times the usual size."""

    repeats: int = 3
    scale: float = 1.0

    def size(self, usual: int, least: int = 1) -> int:
        return max(least, round(usual * self.scale))


def interleaved(plan: Plan, sides: Mapping[str, Callable[[], Numbers]]) -> dict[str, list[Numbers]]:
    """Measure every side in turn, *repeats* times: what disturbs one disturbs all."""
    found: dict[str, list[Numbers]] = defaultdict(list)
    for _ in range(plan.repeats):
        for name, measure in sides.items():
            found[name].append(measure())
    return found


def median(rows: Iterable[Numbers], key: str, over: Iterable[Numbers] | None = None) -> float:
    """The median of *key*; of its ratio to the same repetition's in *over*, if given."""
    values = [row[key] for row in rows]
    if over is not None:
        values = [
            value / other[key] if other[key] else float("nan")
            for value, other in zip(values, over, strict=True)
        ]
    return statistics.median(values)
