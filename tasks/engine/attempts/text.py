"""Appended text on its way into the log."""

from collections.abc import Iterator

from tasks.codec import encode
from tasks.exceptions import InvalidEvent

__all__ = ["Text", "pieces"]

_LONGEST = 6  # bytes of JSON of one character, such as \\u0000


class Text:
    """Text of an attempt that waits to leave as one event with what comes soon after it.

    JSON without the quotes, since that of a whole is that of its parts, one after the
    other. The journal's lock guards it.
    """

    def __init__(self) -> None:
        #: When the last event of this kind was made, by ``time.monotonic()``.
        self.left_at = float("-inf")
        self.size = 0
        self._parts: list[str] = []

    def hold(self, piece: str, size: int) -> None:
        self._parts.append(piece)
        self.size += size

    def take(self) -> str:
        """The data of an event with all of it."""
        text = f'"{"".join(self._parts)}"'
        self._parts.clear()
        self.size = 0
        return text


def pieces(text: object, most: int) -> Iterator[tuple[str, int]]:
    """JSON of a text without the quotes, in pieces of at most *most* bytes, and their sizes."""
    if not isinstance(text, str):
        raise InvalidEvent(f"append() takes a str, not {type(text).__name__}.")
    step = max(1, most // _LONGEST)
    encoded = [encode(text[start : start + step])[1:-1] for start in range(0, len(text), step)]
    return ((piece, len(piece.encode())) for piece in encoded)
