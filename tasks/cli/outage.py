"""A database that is away for a while, to a command that goes on looking."""

import time
from collections.abc import Callable
from types import TracebackType

from django.db import InterfaceError, OperationalError, connections

from tasks.conf import conf

__all__ = ["PATIENCE", "Outage"]

PATIENCE = 300.0  # seconds: a restart and a failover are shorter


class Outage:
    """Swallows in its block that the database is away; says so once, and when it is over.

    After *patience* seconds it swallows that no more: whoever called a script waits for its end.
    """

    def __init__(self, say: Callable[[str], None], patience: float) -> None:
        self._say = say
        self._patience = patience
        self._began: float | None = None

    @property
    def lasts(self) -> bool:
        """Whether the last try failed."""
        return self._began is not None

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if isinstance(error, OperationalError | InterfaceError):
            return self._bear(error)
        if self._began is not None and error is None:
            self._say("The database answers again.")
            self._began = None
        return False

    def _bear(self, error: Exception) -> bool:
        now = time.monotonic()
        if self._began is None:
            if self._patience <= 0:
                return False
            self._began = now
            why = str(error).partition("\n")[0].rstrip(".")
            self._say(f"The database says: {why}. It is asked again for {self._patience:g} s.")
        connections[conf().database].close()  # one that was cut stays so
        return now - self._began < self._patience
