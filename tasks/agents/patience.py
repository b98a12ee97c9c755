"""How long to wait before an endpoint is asked again."""

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from tasks.agents.errors import ProviderBusy, ProviderError
from tasks.states import backoff

__all__ = ["Patience", "retry_after"]

_FIRST_PAUSE = 0.5  # seconds; doubles with each


class Patience:
    """Of one request: *retries* times, none of them after more than *longest_wait* seconds."""

    def __init__(self, retries: int, longest_wait: float) -> None:
        self._retries = retries
        self._longest_wait = longest_wait
        self._tried = 0

    def pause(self, trouble: ProviderError) -> float:
        """Seconds until the next try; raises *trouble* if there is none.

        Who asks for more than we would wait gets no try before then: the run's own next
        attempt is for that.
        """
        self._tried += 1
        asked = trouble.retry_after if isinstance(trouble, ProviderBusy) else None
        if self._tried > self._retries or (asked is not None and asked > self._longest_wait):
            raise trouble
        if asked is not None:
            return asked
        return backoff(self._tried, min(_FIRST_PAUSE, self._longest_wait), self._longest_wait)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that ``Retry-After`` asks for, as a number or a date; None if it asks for none."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
