"""``manage.py tasks``, called in this process."""

import json
from io import StringIO
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.db import connections

__all__ = ["Done", "acall", "call"]


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def call(*arguments: str) -> Done:
    """As from a terminal: an error is a code and a line on stderr."""
    out, err = StringIO(), StringIO()
    code: Any = 0
    try:
        call_command("tasks", *arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as end:
        code = end.code
    except CommandError as error:
        code = error.returncode
        err.write(str(error))
    return Done(code, out.getvalue(), err.getvalue())


async def acall(*arguments: str) -> Done:
    """From a coroutine, beside a supervisor: in a thread, as the command blocks."""

    def call_there() -> Done:
        try:
            return call(*arguments)
        finally:
            connections.close_all()

    return await sync_to_async(call_there, thread_sensitive=False)()
