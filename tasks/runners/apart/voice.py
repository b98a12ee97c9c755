"""Attempt and journal as a leader sees them: the supervisor has the real ones."""

import asyncio
import os
import queue
import socket
import threading
from collections.abc import Callable
from typing import Any

from tasks.codec import decode
from tasks.conf import conf
from tasks.engine.attempts.inbox import Inbox
from tasks.engine.news.wakers import News
from tasks.events import encode_data
from tasks.exceptions import InvalidEvent
from tasks.logs import Origin
from tasks.runners.apart.wire import Frame, Kind, frame, receive_waiting
from tasks.surroundings.circumstances import Circumstances

__all__ = ["FarAttempt", "FarJournal", "Line"]


class Line:
    """The channel to the supervisor: any thread sends, one thread listens."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._sending = threading.Lock()
        self._asking = threading.Lock()
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def send(self, kind: Kind, data: bytes = b"") -> None:
        """Blocks while the supervisor takes no more: its journal is full."""
        with self._sending:
            self._channel.sendall(frame(kind, data))

    def ask(self, kind: Kind) -> bytes:
        """Send, and wait for the answer."""
        with self._asking:
            self.send(kind)
            return self._answers.get()

    def listen(self, hear: Callable[[Frame], None]) -> None:
        """Have *hear* called, in a thread, with what comes. With the supervisor all ends."""

        def work() -> None:
            while (got := receive_waiting(self._channel)) is not None:
                if got.kind is Kind.ANSWER:
                    self._answers.put(got.data)
                else:
                    hear(got)
            os._exit(1)

        threading.Thread(target=work, name="headway-line", daemon=True).start()


class FarAttempt:
    """The part of an attempt that a context looks at."""

    def __init__(self, claim: Any, line: Line) -> None:
        self.claim = claim
        self.circumstances: Circumstances = decode(claim.context)
        self.origin = Origin.of(claim, self.circumstances)
        self.ending = False
        #: How many watch is asked for anew each time.
        self.curious = False
        self.inbox: Inbox | None = None
        self._line = line

    def listen(self, inbox: Inbox) -> None:
        self.inbox = inbox
        if self.ending:
            inbox.interrupt()

    def end(self) -> None:
        """It was asked to."""
        self.ending = True
        if self.inbox is not None:
            self.inbox.interrupt()

    @property
    def watchers(self) -> int:
        found: int = decode(self._line.ask(Kind.WATCHERS))
        return found


class FarJournal:
    """The part of a journal that a context writes to. It never is full: sending blocks."""

    full = False

    def __init__(self, line: Line) -> None:
        self._line = line

    def append(self, attempt: FarAttempt, type_: str, data: object) -> None:
        text = encode_data(type_, data, conf().event_bytes)
        self._line.send(Kind.EVENT, f"{type_}\n{text}".encode())

    def append_text(self, attempt: FarAttempt, text: str) -> None:
        if not isinstance(text, str):
            raise InvalidEvent(f"append() takes a str, not {type(text).__name__}.")
        try:
            self._line.send(Kind.TEXT, text.encode())
        except UnicodeEncodeError as error:
            raise InvalidEvent(f"The text cannot be carried as JSON: {error}.") from error

    async def flush(self, attempt: FarAttempt) -> None:
        await asyncio.to_thread(self._line.ask, Kind.FLUSH)

    async def room(self) -> None:
        """There is room."""

    def room_blocking(self) -> None:
        """There is room."""

    # What `tasks.engine.control` reaches in a process that executes

    def call(self, callback: Callable[[], object]) -> None:
        callback()

    def hear(self, news: News) -> None:
        if news is News.RUN:
            self._line.send(Kind.WAKE)
        elif news is News.MESSAGE:
            self._line.send(Kind.LISTEN)

    def cancel(self, *_: object) -> None:
        """The supervisor looks for itself."""

    def announce(self, *_: object) -> None:
        """A watcher looks for itself within a second."""
