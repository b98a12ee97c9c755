"""How long finished runs and their logs are kept: the rules of ``HEADWAY["RETENTION"]``.

A list of dicts with these keys, all optional::

    {"queue": "mail", "status": "FAILED", "days": 30, "runs": 100_000}

``queue`` and ``status`` say what a rule is about; of those that fit, the most specific one
counts alone: queue and status before queue before status before neither. ``days`` after its
end a run goes, and so do all but the newest ``runs`` of a queue and status. A rule with
neither keeps everything, and so does an empty list.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.states import TERMINAL

__all__ = ["DEFAULT", "WANTS", "Rule", "are_rules", "choose", "rules"]

DEFAULT: list[dict[str, Any]] = [
    {"days": 7, "runs": 100_000},
    {"status": "FAILED", "days": 30, "runs": 100_000},
]
WANTS = (
    "a list of dicts with the keys queue, status (one of "
    + ", ".join(sorted(TERMINAL))
    + "), days (above 0) and runs (0 or more), no two for the same queue and status, or None"
)


@dataclass(frozen=True, slots=True)
class Rule:
    queue: str | None = None
    status: str | None = None
    #: After the run's end.
    days: float | None = None
    #: How many of the newest are kept.
    runs: int | None = None

    def fits(self, queue: str, status: str) -> bool:
        return self.queue in (None, queue) and self.status in (None, status)

    @property
    def keeps_all(self) -> bool:
        return self.days is None and self.runs is None

    @property
    def precision(self) -> tuple[bool, bool]:
        return self.queue is not None, self.status is not None


def rules(given: Iterable[Mapping[str, Any]] | None) -> list[Rule]:
    """The rules of a setting that :func:`are_rules` has found to be sound."""
    return [Rule(**item) for item in given or ()]


def choose(among: Iterable[Rule], queue: str, status: str) -> Rule | None:
    """The rule for finished runs of a queue and status; None keeps them all."""
    fitting = [rule for rule in among if rule.fits(queue, status)]
    found = max(fitting, key=lambda rule: rule.precision, default=None)
    return None if found is None or found.keeps_all else found


def are_rules(value: object) -> bool:
    """Whether *value* has the form of the setting."""
    if not isinstance(value, list | tuple) or not all(map(_is_rule, value)):
        return False
    about = [(item.get("queue"), item.get("status")) for item in value]
    return len(set(about)) == len(about)


def _is_rule(item: object) -> bool:
    if not isinstance(item, Mapping) or item.keys() - {"queue", "status", "days", "runs"}:
        return False
    queue, status, days, runs = map(item.get, ("queue", "status", "days", "runs"))
    return (
        (queue is None or (isinstance(queue, str) and queue != ""))
        and (status is None or status in TERMINAL)
        and (days is None or (_is_number(days, int | float) and 0 < days < 100_000))
        and (runs is None or (_is_number(runs, int) and runs >= 0))
    )


def _is_number(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
