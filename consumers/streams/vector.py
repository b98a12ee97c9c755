"""How far a client is in several logs, as one short text."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from uuid import UUID

from consumers.feeds.chunk import Chunk
from consumers.refusal import Refusal
from consumers.streams.cursor import LARGEST

__all__ = ["Vector"]

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_DIGITS = [_ALPHABET[i : i + 1] for i in range(64)]
_VALUES = {chr(letter): value for value, letter in enumerate(_ALPHABET)}
_MORE = 32  # of a digit's six bits, the one that says that another one follows
_MARK = 8  # characters


class Vector:
    """A cursor for each run of a set, whose text is the ``id:`` of an event of any of them.

    A mark of the set, in whatever order it was given, then the cursors in order of the
    runs' ids: five bits a digit, the low ones first. So it takes about two characters a
    run, and a text of another set is known for one. To clients it is opaque.
    """

    def __init__(self, run_ids: Iterable[UUID]) -> None:
        self.run_ids = sorted(set(run_ids))
        self._places = {run_id: place for place, run_id in enumerate(self.run_ids)}
        digest = blake2b(b"".join(run_id.bytes for run_id in self.run_ids), digest_size=6)
        self._mark = urlsafe_b64encode(digest.digest())
        self._texts = [b"A"] * len(self.run_ids)

    @property
    def text(self) -> bytes:
        return self._mark + b"".join(self._texts)

    def parse(self, text: str) -> dict[UUID, int]:
        """The cursors in a text of this set; a :class:`Refusal` if it is none."""
        cursors = _numbers(text[_MARK:])
        if text[:_MARK].encode() != self._mark or len(cursors) != len(self.run_ids):
            raise _bad()
        return dict(zip(self.run_ids, cursors, strict=True))

    def place(self, cursors: Mapping[UUID, int]) -> None:
        """Be there."""
        for run_id, cursor in cursors.items():
            self._texts[self._places[run_id]] = _text(cursor)

    def ids(self, run_id: UUID, chunk: Chunk) -> list[bytes]:
        """The vector as it is after each of the events, and then is."""
        place = self._places[run_id]
        before = self._mark + b"".join(self._texts[:place])
        after = b"".join(self._texts[place + 1 :])
        texts = [_text(seq) for seq in range(chunk.first, chunk.last + 1)]
        self._texts[place] = texts[-1]
        return [before + text + after for text in texts]


def _text(number: int) -> bytes:
    text = b""
    while number >= _MORE:
        text += _DIGITS[number % _MORE + _MORE]
        number //= _MORE
    return text + _DIGITS[number]


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    number = shift = 0
    for letter in text:
        value = _VALUES.get(letter)
        if value is None:
            raise _bad()
        number += value % _MORE << shift
        shift += 5
        if number > LARGEST or shift > 65:
            raise _bad()
        if value < _MORE:
            found.append(number)
            number = shift = 0
    if shift:
        raise _bad()
    return found


def _bad() -> Refusal:
    message = "Continue after the id of an event of a stream of these very runs."
    return Refusal(400, "bad_cursor", message)
