"""What a process writes, line by line, as ``output`` events."""

import asyncio
from collections import deque

from tasks.conf import conf
from tasks.engine.attempts.attempt import Attempt
from tasks.engine.writing.journal import Journal
from tasks.events import OUTPUT

__all__ = ["Lines", "Output"]

_CHUNK = 65_536  # bytes read at once
_LONGEST = 16_384  # bytes of a line in one event
_TAIL = 20  # lines that a result or an error shows
_TAIL_CHARACTERS = 4_000


class Output:
    """The output of one attempt: how much of it is in the log, and whether there is more."""

    def __init__(self, attempt: Attempt, journal: Journal, *, told: bool = True) -> None:
        self._attempt = attempt
        self._journal = journal
        self._told = told
        self._bytes = 0
        self._capped = False

    async def add(self, stream: str, text: str, size: int, *, whole: bool) -> None:
        """One line, or with *whole* false a part that the next event goes on with."""
        if not self._told or self._capped:
            return
        self._bytes += size
        if self._bytes > (most := conf().output_bytes):
            self._capped = True
            self._emit({"stream": stream, "text": "", "truncated": True, "limit": most})
            return
        self._emit({"stream": stream, "text": text} | ({} if whole else {"continues": True}))
        if self._journal.full:
            await self._journal.room()

    def _emit(self, data: dict[str, object]) -> None:
        self._journal.append(self._attempt, OUTPUT, data)


class Lines:
    """One stream of an :class:`Output`, read to its end: no faster than the journal takes it."""

    def __init__(self, name: str, output: Output) -> None:
        self.name = name
        self.count = 0
        self._output = output
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._rest = b""

    @property
    def tail(self) -> str:
        """The last lines."""
        return "\n".join(self._tail)[-_TAIL_CHARACTERS:]

    async def read(self, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(_CHUNK):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                await self._line(line)
            while len(self._rest) > _LONGEST:
                part, self._rest = self._rest[:_LONGEST], self._rest[_LONGEST:]
                await self._part(part)
            await asyncio.sleep(0)  # the loop is everyone's, and there may be more at once
        if self._rest:
            await self._line(self._rest)

    async def _line(self, line: bytes) -> None:
        while len(line) > _LONGEST:
            await self._part(line[:_LONGEST])
            line = line[_LONGEST:]
        text = _text(line.removesuffix(b"\r"))
        self.count += 1
        self._tail.append(text)
        await self._output.add(self.name, text, len(line) + 1, whole=True)

    async def _part(self, part: bytes) -> None:
        await self._output.add(self.name, _text(part), len(part), whole=False)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")
