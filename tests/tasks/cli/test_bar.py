"""A run as a line."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.cli.bar import bar_line, cut
from tasks.cli.progress import Progress, duration
from tasks.models import TaskRun

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def line(width: int = 100, **fields: Any) -> str:
    made = {
        "task": "shop.tasks.import_catalog",
        "status": "RUNNING",
        "attempt": 1,
        "enqueued_at": NOW - timedelta(minutes=2),
        "started_at": NOW - timedelta(seconds=75),
    }
    run = TaskRun(**made | fields)
    return bar_line(run, NOW, names=14, width=width, frame=0)


def test_one_that_goes_on() -> None:
    progress = {"done": 450, "total": 1000, "message": "products", "eta": 92.5}
    found = line(progress=progress)
    assert found.startswith("import_catalog  …")
    assert f"{'█' * 10}{'░' * 14}" in found
    assert found.endswith("   45%  450/1000  1:32 left  products")


def test_one_without_a_total_moves() -> None:
    assert "  ███░░░" in line()
    assert line().endswith("1:15")


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"status": "READY", "started_at": None, "attempt": 0}, "waiting"),
        ({"status": "READY"}, "waiting  try 2"),
        ({"stop_ignored": True, "cancel_requested": "stop"}, "stop ignored  1:15"),
        ({"cancel_requested": "kill"}, "asked to kill  1:15"),
        ({"status": "SUCCESSFUL", "finished_at": NOW}, "SUCCESSFUL  1:15"),
        (
            {
                "status": "FAILED",
                "finished_at": NOW,
                "errors": [{"type": "shop.OutOfPaper", "message": "tray\n2\x1b[2J"}],
            },
            "FAILED  1:15  OutOfPaper: tray 2�[2J",
        ),
    ],
)
def test_how_it_goes(fields: dict[str, Any], end: str) -> None:
    assert line(**fields).endswith(end)


@pytest.mark.parametrize("width", [20, 40, 79, 80, 200])
def test_it_fits(width: int) -> None:
    text = "目录目录目录 with a very long message that no terminal has the room for " * 3
    found = line(width, progress={"done": 1, "total": 3, "message": text})
    assert sum(2 if c in "目录" else 1 for c in found) <= width


def test_what_is_cut_says_so() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 5) == "abcd…"
    assert cut("目录目录", 5) == "目录…"


@pytest.mark.parametrize(
    ("data", "percent"),
    [
        ({"done": 999, "total": 1000}, "99%"),
        ({"done": 5, "total": 3}, "100%"),
        ({"done": -1, "total": 3}, "0%"),
        ({"done": 1, "total": 0}, ""),
        ({"done": 1}, ""),
        ({"done": "1", "total": [3]}, ""),
        (["done"], ""),
        (None, ""),
    ],
)
def test_percent(data: Any, percent: str) -> None:
    assert Progress.of(data).percent == percent


@pytest.mark.parametrize(("seconds", "text"), [(-1, "0:00"), (7.9, "0:07"), (3723, "1:02:03")])
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
