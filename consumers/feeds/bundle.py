"""A bundle: one client's watchers of several runs, and one wait for all of them."""

import asyncio
from collections import OrderedDict
from contextvars import Context
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from consumers.feeds.bell import Bell
from consumers.feeds.chunk import CHUNK_BYTES, CHUNK_EVENTS, Chunk
from consumers.feeds.feed import Place
from consumers.feeds.follower import Follower, Signal

if TYPE_CHECKING:
    from consumers.access.admission import Admission
    from consumers.feeds.hub import Hub
    from tasks.models import TaskRun

__all__ = ["Bundle", "Item", "Member"]


class Member(Follower):
    """A run in a bundle. It waits for nothing itself."""

    def __init__(self, bundle: "Bundle", run: "TaskRun", cursor: int, transport: str) -> None:
        self.run_id: UUID = run.pk
        self._bundle = bundle
        hub = bundle.hub
        super().__init__(hub.enter(run), hub.replay, cursor, hub.leave, transport)

    def wake(self) -> None:
        self._bundle.wake(self)

    def beat(self) -> None:
        """It is the connection that is silent or not: see :meth:`Bundle.beat`."""


class Item(NamedTuple):
    """What a bundle has for its client."""

    member: Member
    #: Events, a last signal, or None: it is at the end of a finished run already.
    found: Chunk | Signal | None
    #: Nothing more comes of this member, which is in the bundle no more.
    last: bool


class Bundle:
    """Iterates over what follows the cursors of its members: all that is here, up to a chunk's
    size, in turns of a chunk of one member each.

    Members come and go meanwhile. It ends after :meth:`close`, or with a farewell once
    the process goes away and everybody has what is here. One at a time reads the log,
    and the others go on beside it: so a client costs two chunks in memory, one task
    while it is behind, and one future while it waits.
    """

    def __init__(self, hub: "Hub", transport: str) -> None:
        self.hub = hub
        self.members: dict[UUID, Member] = {}
        #: The process goes away, and who is still here will come again.
        self.leaving = False
        self._transport = transport
        # In order of their turns. An ordered dict, since the first of a plain one is found
        # behind all that were deleted before it.
        self._ready: OrderedDict[Member, None] = OrderedDict()
        self._behind: OrderedDict[Member, None] = OrderedDict()
        self._reader: Member | None = None
        self._reading: asyncio.Task[None] | None = None
        self._bell = Bell()
        self._over = False
        self._said = monotonic()
        self._beat = False

    def open(self, run: "TaskRun", cursor: int, admission: "Admission | None" = None) -> Member:
        """A watcher of a run that is as just read from the database; see :meth:`Hub.watch`.

        It keeps its place, and has its turns from :meth:`add` on.
        """
        member = Member(self, run, cursor, self._transport)
        self.hub.rights.bind(member, admission)
        return member

    def add(self, member: Member) -> None:
        if self._over:
            member.close()
            return
        self.members[member.run_id] = member
        self.wake(member)

    def remove(self, member: Member) -> None:
        """Not one more item of it."""
        del self.members[member.run_id]
        self._forget(member)

    def __aiter__(self) -> "Bundle":
        return self

    async def __anext__(self) -> list[Item] | Signal:
        await asyncio.sleep(0)  # see Watcher
        while not self._over:
            if items := self._next():
                self._said, self._beat = monotonic(), False
                return items
            if self.leaving and not self.members:
                self.close()
                return Signal.FAREWELL
            if self._beat:
                self._said, self._beat = monotonic(), False
                return Signal.HEARTBEAT
            await self._bell.wait()
        raise StopAsyncIteration

    def leave(self) -> None:
        """The process goes away, and so do the members, each by itself."""
        self.leaving = True
        self._bell.ring()

    def beat(self, silent: float) -> None:
        """Say that the connection is alive if nothing was said for *silent* seconds."""
        if monotonic() - self._said >= silent:
            self._beat = True
            self._bell.ring()

    def wake(self, member: Member) -> None:
        if self.members.get(member.run_id) is member and member not in self._behind:
            self._ready.setdefault(member)
            self._bell.ring()

    def close(self) -> None:
        """Release every feed, and end the iteration. Safe to call twice."""
        self._over = True
        self.hub.bundles.discard(self)
        for member in list(self.members.values()):
            self.remove(member)
        self._bell.ring()

    def _next(self) -> list[Item]:
        items: list[Item] = []
        size = count = 0
        while self._ready and size < CHUNK_BYTES and count < CHUNK_EVENTS:
            member, _ = self._ready.popitem(last=False)
            found = member.poll()
            if found is Place.BEHIND:
                self._behind[member] = None
                self._read_on()
            elif not isinstance(found, Place):
                items.append(self._item(member, found))
                if isinstance(found, Chunk):
                    size += found.size
                    count += len(found.envelopes)
        return items

    def _item(self, member: Member, found: Chunk | Signal | None) -> Item:
        if member.over:
            self.remove(member)
        else:
            self.wake(member)
            self._release(member)
        return Item(member, found, member.over)

    def _read_on(self) -> None:
        """Let the next one read the log, if nobody does and nothing read lies here."""
        if self._reader is None and self._behind and not self._over:
            self._reader = next(iter(self._behind))
            # In an empty context, or it would carry along that of a request.
            reading = self._read(self._reader)
            self._reading = asyncio.create_task(reading, name="bundle", context=Context())

    async def _read(self, member: Member) -> None:
        await member.fetch()
        if self._behind.pop(member, member) is None:
            self.wake(member)

    def _release(self, member: Member) -> None:
        if self._reader is member and self._reading is not None:
            self._reading.cancel()  # unless it is why we are here
            self._reader = self._reading = None
            self._read_on()

    def _forget(self, member: Member) -> None:
        self._ready.pop(member, None)
        self._behind.pop(member, None)
        member.close()
        self._release(member)
