"""Failures of something that is tried again and again."""

import logging
from types import TracebackType

from tasks.engine.metrics import instruments

__all__ = ["Trouble"]

_SHORTEST, _LONGEST = 0.1, 5.0  # seconds

logger = logging.getLogger("headway.layer")


class Trouble:
    """Swallows the exceptions of its block; says the first in a row, and when it is over.

    ::

        with trouble:
            await attempt()
        if trouble.lasts:
            await anyio.sleep(trouble.pause)
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self._failures = 0

    @property
    def lasts(self) -> bool:
        """Whether the last try failed."""
        return self._failures > 0

    @property
    def pause(self) -> float:
        """Seconds to wait before the next try: doubles with each failure."""
        return min(_LONGEST, _SHORTEST * 2.0 ** min(self._failures - 1, 10))

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is None:
            if self._failures:
                logger.info("%s works again, after %d failures.", self.what, self._failures)
            self._failures = 0
            return False
        if not isinstance(error, Exception):
            return False
        self._failures += 1
        instruments.failures.labels(self.what).inc()
        if self._failures == 1:
            logger.warning("%s fails; it is tried again.", self.what, exc_info=error)
        return True
