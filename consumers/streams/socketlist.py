"""A list of runs on a WebSocket that has subscriptions too."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any

from consumers.access.sight import Sight
from consumers.feeds.follower import Signal
from consumers.feeds.hub import get_hub
from consumers.feeds.listwatcher import Listed, ListWatcher
from consumers.refusal import Refusal
from consumers.streams.commands import ref_in
from consumers.streams.wanted import Place, limit_in, wanted_of
from tasks.codec import encode

__all__ = ["SocketList"]

_UNAVAILABLE = Refusal(503, "unavailable", "The list cannot be read now: ask for it again.")
_LISTED = Refusal(409, "listed", "This socket has a list: unlist it first.")
_NOT_LISTED = Refusal(404, "not_listed", "This socket has no list, or has it no more.")

Command = dict[str, Any]


class SocketList:
    """The list of a connection, which has one at a time.

    After the answer come ``listing``, the runs' envelopes, and ``listed`` when the list is
    whole; then, each time something has changed, envelopes and ``listed`` again. Its ``after``
    is for another ``list`` command. *write* sends texts that belong together, and waits for
    their turn and for the client.
    """

    def __init__(self, write: Callable[[list[str]], Awaitable[None]]) -> None:
        self._write = write
        self._watcher: ListWatcher | None = None
        self._writing: asyncio.Task[None] | None = None

    async def begin(self, command: Command, answer: Command, sight: Sight) -> None:
        if self._writing is not None and not self._writing.done():
            raise _LISTED
        wanted = wanted_of(command)
        place = Place(wanted)
        seen, limit = place.parse(command.get("after")), limit_in(command.get("limit"))
        await self._write([encode(answer | {"ok": True})])
        self._watcher = get_hub().watch_list(wanted, sight, seen, limit)
        following = self._follow(self._watcher, place, ref_in(command))
        self._writing = asyncio.create_task(following, name="list", context=Context())

    async def end(self, answer: Command) -> None:
        if self._writing is None or self._writing.done():
            raise _NOT_LISTED
        self.close()
        await self._write([encode(answer | {"ok": True})])

    def close(self) -> None:
        """No more of it. Safe to call twice."""
        if self._watcher is not None:
            self._watcher.close()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    async def _follow(self, watcher: ListWatcher, place: Place, ref: Command) -> None:
        try:
            async for item in watcher:
                if isinstance(item, Listed):
                    await self._write(_said(item, place, ref))
                elif item is Signal.FAREWELL:
                    await self._write([encode({"op": "unlist", **ref, **_UNAVAILABLE.content})])
        except OSError:
            return  # the client has gone; who listens to it hears so
        finally:
            watcher.close()


def _said(item: Listed, place: Place, ref: Command) -> list[str]:
    said = [shown.envelope.decode() for shown in item.shown]
    if item.anew is not None:
        said.insert(0, encode({"op": "listing", **ref, "anew": item.anew}))
    if item.horizon is not None:
        said.append(encode({"op": "listed", **ref, "after": place.text(item.horizon)}))
    return said
