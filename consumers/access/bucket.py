"""Token buckets: how often somebody may do something, on average and at once."""

__all__ = ["BURST", "Bucket", "Buckets"]

#: Seconds in which an empty bucket fills: so many seconds' worth may be taken at once.
BURST = 10.0

_EPSILON = 1e-9  # seconds, that sums of fractions are off


class Bucket:
    """Kept as one number: the moment at which it is full again."""

    __slots__ = ("_full",)

    def __init__(self) -> None:
        self._full = 0.0

    def take(self, rate: float, now: float) -> float:
        """Take a token of *rate* a second; else the seconds until there is one."""
        full = max(self._full, now) + 1 / rate
        # One at least, however slow the rate.
        wait = full - now - max(BURST, 1 / rate)
        if wait > _EPSILON:
            return wait
        self._full = full
        return 0.0


class Buckets:
    """A bucket for each key, and only for who came lately.

    A bucket nobody has come to for as long as it takes to fill is like a new one. So there
    are two generations, and the older one is dropped as a whole: no search, no timer.
    """

    def __init__(self) -> None:
        self._young: dict[str, Bucket] = {}
        self._old: dict[str, Bucket] = {}
        self._turned = 0.0

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def take(self, key: str, rate: float, now: float) -> float:
        """As :meth:`Bucket.take`."""
        if now - self._turned >= max(BURST, 1 / rate):
            self._old, self._young, self._turned = self._young, {}, now
        bucket = self._young.get(key) or self._old.get(key) or Bucket()
        self._young[key] = bucket
        return bucket.take(rate, now)
