"""The lines of an event stream, gathered to blocks (HTML standard, section 9.2.6). No I/O."""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

__all__ = ["Block", "Blocks"]


_HEARTBEAT = "heartbeat "


class Block(NamedTuple):
    id: str
    event: str
    data: str


class Blocks:
    """Of one connection. Lines end with a line feed alone: in JSON, others may be text."""

    def __init__(self) -> None:
        #: Seconds that the server asks for until the next connection.
        self.retry: float | None = None
        #: Seconds of silence after which it says that it is alive, if it has told.
        self.heartbeat: float | None = None
        self._rest = b""
        self._fields: dict[str, list[str]] = {}

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks that *data* completes, those without data left out."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            block = self._take(line.removesuffix(b"\r").decode())
            if block is not None:
                yield block

    def _take(self, line: str) -> Block | None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            return self._end()
        if name == "retry" and value.isdecimal():
            self.retry = int(value) / 1000
        elif not name and value.startswith(_HEARTBEAT):
            with suppress(ValueError):  # some other comment
                self.heartbeat = float(value.removeprefix(_HEARTBEAT))
        elif name:  # else it is a comment
            self._fields.setdefault(name, []).append(value)
        return None

    def _end(self) -> Block | None:
        fields, self._fields = self._fields, {}
        if "data" not in fields:
            return None
        (*_, id_), (*_, event) = fields.get("id", [""]), fields.get("event", ["message"])
        return Block(id_, event, "\n".join(fields["data"]))
