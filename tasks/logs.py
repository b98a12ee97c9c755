"""What log lines say of the run during which they are written.

::

    LOGGING = {
        "filters": {"run": {"()": "tasks.logs.RunFields"}},
        "formatters": {"json": {"()": "tasks.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler",
                                "filters": ["run"], "formatter": "json"}},
        ...
    }
"""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from tasks.surroundings.circumstances import Circumstances, request_id

__all__ = ["Blame", "JsonLines", "Origin", "RunFields", "current_run", "name_worker"]


class Origin(NamedTuple):
    """The attempt at a run that a line is about."""

    run_id: UUID
    task: str
    attempt: int
    #: Of the enqueueing, if it had one.
    request_id: str | None = None
    user_id: str | None = None

    @classmethod
    def of(cls, claim: Any, given: Circumstances) -> "Origin":
        """Of a claimed run, with what was so when it was enqueued."""
        known = given.get("request_id"), given.get("user_id")
        return cls(claim.run_id, claim.task, claim.attempt, *known)

    @property
    def extra(self) -> dict[str, Any]:
        """For the ``extra=`` of a line that is written outside of the run itself."""
        return self._asdict() | {"run_id": str(self.run_id)}


#: The run that the current code belongs to. ``sync_to_async``, asyncio's and anyio's threads
#: inherit it, as they do every context variable; a bare ``threading.Thread`` does not.
current_run: ContextVar[Origin | None] = ContextVar("headway_run", default=None)

_worker: str | None = None


def name_worker(worker_id: str) -> None:
    """Let every line of this process carry *worker_id*."""
    global _worker
    _worker = worker_id


_FIELDS = ("run_id", "task", "attempt", "worker", "request_id", "user_id")


class Blame(logging.Filter):
    """Takes the traceback from what Django says of a request that cannot be served as it is.

    It is no fault of the code, and anybody can send a Host header that is none.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.exc_info = None
        return True


class RunFields(logging.Filter):
    """Gives each record ``run_id``, ``task``, ``attempt``, ``worker``, ``request_id``, ``user_id``.

    None for what is not. A line of a request has its id as well, so that it is found together
    with those of the runs that were enqueued there. The filter belongs on handlers, since a
    logger's filter does not see what comes from its children. ``%(run)s`` in a format is all
    of them as text, and nothing without a run.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        given = record.__dict__
        # A line about another run than the one it is written in says so itself.
        if "run_id" not in given:
            given.update(_where(given))
        given.setdefault("worker", _worker)
        for name in _FIELDS:
            given.setdefault(name, None)
        given["run"] = _as_text(given) if given["run_id"] else ""
        return True


def _where(given: dict[str, Any]) -> dict[str, Any]:
    """What is known of the code that writes. What it says of request and user itself stays."""
    origin = current_run.get()
    found = {"request_id": request_id.get()} if origin is None else origin.extra
    return found | {name: given[name] for name in ("request_id", "user_id") if name in given}


def _as_text(given: dict[str, Any]) -> str:
    return "".join(f" {name}={given[name]}" for name in _FIELDS if given[name] is not None)


# What logging itself puts into a record; all else came with extra=.
_OWN = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName", "run"}


class JsonLines(logging.Formatter):
    """Each record as one JSON object on one line.

    ``time`` (UTC), ``level``, ``logger``, ``message``, the fields of :class:`RunFields`
    that there are, ``exception`` and ``stack``, and whatever came with ``extra=``.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        given = record.__dict__
        more = {name: given[name] for name in given if name not in _OWN and name not in line}
        line |= {name: value for name, value in more.items() if value is not None}
        try:
            return _dumps(line)
        except Exception:  # keys that are no text, NaN, a cycle, a __str__ that fails
            return _dumps({name: _shown(value) for name, value in line.items()})


def _dumps(line: dict[str, Any]) -> str:
    # ASCII: a stream that cannot encode a character would put something else than JSON.
    return json.dumps(line, default=str, allow_nan=False, separators=(",", ":"))


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return repr(value)
    except Exception:
        return f"({type(value).__name__} cannot be shown)"
