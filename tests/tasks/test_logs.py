"""What the filter adds to records, and what the formatter makes of them."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tasks import logs
from tasks.logs import Blame, JsonLines, Origin, RunFields, current_run

RUN = UUID("0197a1b2-0000-7000-8000-000000000001")


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_worker", None)


@pytest.fixture
def running() -> Iterator[None]:
    token = current_run.set(Origin(RUN, "shop.tasks.pack", 2))
    yield
    current_run.reset(token)


def record(message: str = "packed", **extra: Any) -> logging.LogRecord:
    made = logging.getLogger("shop").makeRecord(
        "shop", logging.INFO, "shop.py", 1, message, (), None, extra=extra
    )
    assert RunFields().filter(made)
    return made


def parsed(made: logging.LogRecord) -> dict[str, Any]:
    text = JsonLines().format(made)
    assert "\n" not in text
    assert text.isascii()
    line: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    return line


def test_a_line_of_a_run(running: None) -> None:
    logs.name_worker("host:1:ab")
    line = parsed(record(order=7))
    assert line["run_id"] == str(RUN)
    assert (line["task"], line["attempt"], line["worker"]) == ("shop.tasks.pack", 2, "host:1:ab")
    assert (line["level"], line["logger"], line["message"]) == ("INFO", "shop", "packed")
    assert (line["order"], line["time"][-6:]) == (7, "+00:00")
    text = logging.Formatter("%(message)s%(run)s").format(record())
    assert text == f"packed run_id={RUN} task=shop.tasks.pack attempt=2 worker=host:1:ab"


def test_a_line_of_no_run() -> None:
    assert parsed(record()).keys() == {"time", "level", "logger", "message"}
    assert logging.Formatter("%(message)s%(run)s").format(record()) == "packed"


def test_a_line_about_another_run(running: None) -> None:
    line = parsed(record(run_id="other"))
    assert line["run_id"] == "other"
    assert line.keys().isdisjoint({"task", "attempt"})


def test_two_handlers_may_filter(running: None) -> None:
    made = record()
    RunFields().filter(made)
    assert parsed(made)["run_id"] == str(RUN)


def test_an_exception_stays_on_the_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        made = record()
        made.exc_info = sys.exc_info()
    assert parsed(made)["exception"].endswith("ValueError: two\nlines")


class Sullen:
    def __repr__(self) -> str:
        raise RuntimeError


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("nan"), "nan"),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        (CYCLE, "[[...]]"),
        (Sullen(), "(Sullen cannot be shown)"),
        (RUN, str(RUN)),
        ("\ud800 é\n", "\ud800 é\n"),
    ],
)
def test_whatever_comes_along_is_json(value: object, shown: str) -> None:
    line = parsed(record(value=value))
    assert (line["value"], line["message"]) == (shown, "packed")


def test_a_clients_mistake_has_no_traceback() -> None:
    try:
        raise LookupError
    except LookupError:
        error = sys.exc_info()
    for name, kept in (("django.security.DisallowedHost", False), ("django.request", True)):
        made = logging.LogRecord(name, logging.ERROR, __file__, 1, "no", None, error)
        assert Blame().filter(made)
        assert bool(made.exc_info) is kept
