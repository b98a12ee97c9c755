"""A run's events over a WebSocket: the envelopes of its log as text frames."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from functools import partial
from operator import attrgetter
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import QueryDict

from consumers.access.auth import Access, Action, admit, granted
from consumers.access.identity import Identity
from consumers.access.limits import Pace
from consumers.access.requests import visitor_in
from consumers.access.rights import Holder
from consumers.access.shown import PROTOCOL
from consumers.asgi import FRAMES, Direct, Message, Receive, Scope, Send
from consumers.feeds.chunk import Chunk
from consumers.feeds.hub import get_hub
from consumers.feeds.keep import keep
from consumers.feeds.turn import Outlet
from consumers.feeds.watcher import Signal, Watcher
from consumers.operations import cancel, message_in, send
from consumers.outage import outages_refused
from consumers.paths import run_in
from consumers.refusal import Refusal
from consumers.snapshot import snapshot_envelope
from consumers.streams.commands import parse_command, ref_in
from consumers.streams.cursor import LATEST, place, requested
from consumers.streams.pump import pump
from consumers.wire import CloseCode, close_reason
from tasks.codec import encode
from tasks.conf import conf
from tasks.states import CancelRequest

__all__ = ["RunSocket", "Socket", "turn_away"]

# Each is a write of its own: so many, then the others.
_FRAMES_AT_ONCE = 32

_CLOSING = {
    None: (CloseCode.FINISHED, "finished"),
    Signal.FAREWELL: (CloseCode.GOING_AWAY, "Going away: reconnect."),
    Signal.GONE: (CloseCode.NOT_FOUND, "The run was deleted."),
}


class Socket(ABC):
    """One connection. It may be open for days, so it keeps nothing of its scope as a whole."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._query = QueryDict(scope.get("query_string", b"")).dict()
        self._subprotocol = _subprotocol(scope)
        self._batched = self._query.get("batch") == "1"
        self._form = "message" if self._batched else "messages"
        self._direct: Direct | None = scope.get("extensions", {}).get(FRAMES)
        self._left = False
        self._visitor = visitor_in(scope)
        self._pace = Pace()

    async def open(self) -> None:
        """Accept, and serve to the end.

        It accepts before it refuses: of a handshake that fails, a browser tells its page
        nothing, of a close its code and reason.
        """
        await self._receive()
        with suppress(OSError):  # how ASGI servers may say that the client has gone
            await self._send(_accept(self._subprotocol))
            await self.serve()

    async def serve(self) -> None:
        try:
            with outages_refused():
                self._visitor.check()
                code, reason = _CLOSING[await self._watch()]
        except Refusal as refusal:
            code, reason = refusal.close_code, refusal.message
        if not self._left:
            await self._send(_close(code, reason))

    @abstractmethod
    async def _watch(self) -> Signal | None:
        """Serve until there is nothing more to say; the last signal, or None."""

    async def _heard(self) -> Message:
        """What the client says next, if that is not too soon."""
        message = await self._receive()
        if message["type"] == "websocket.receive":
            self._pace.step()
        return message

    async def _events(self, chunk: Chunk) -> None:
        if self._direct is not None:
            await self._send({"type": FRAMES, "frames": getattr(chunk, self._form)})
        elif self._batched:
            await self._text(b"\n".join(chunk.envelopes).decode())
        else:
            for count, envelope in enumerate(chunk.envelopes, 1):
                await self._text(envelope.decode())
                if count % _FRAMES_AT_ONCE == 0:
                    await asyncio.sleep(0)

    async def _admit(self, run: str, action: Action) -> Access:
        return await admit(self._visitor, run, action, database_sync_to_async)

    async def _identity(self) -> Identity | None:
        return await database_sync_to_async(self._visitor.identity)()

    async def _granted(self, command: dict[str, Any], renewed: Holder | None) -> dict[str, Any]:
        """Take a grant from now on; also for *renewed*, which an earlier one holds open."""
        grant = await database_sync_to_async(granted)(self._visitor, command.get("grant"))
        if renewed is not None:
            get_hub().rights.renew(renewed, grant)
        return {"run": str(grant.run_id), "action": grant.action, "ok": True}

    async def _text(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})


async def turn_away(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    """Accept and close: see :meth:`Socket.open`."""
    await receive()
    with suppress(OSError):
        await send(_accept(_subprotocol(scope)))
        await send(_close(refusal.close_code, refusal.message))


def _subprotocol(scope: Scope) -> str | None:
    return PROTOCOL if PROTOCOL in scope.get("subprotocols", ()) else None


def _accept(subprotocol: str | None) -> Message:
    return {"type": "websocket.accept", "subprotocol": subprotocol}


def _close(code: CloseCode, reason: str) -> Message:
    return {"type": "websocket.close", "code": int(code), "reason": close_reason(reason)}


class RunSocket(Socket):
    """The events of the run in its path."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._wanted = run_in(scope["path"])
        self._last_event_id = dict(scope["headers"]).get(b"last-event-id")

    async def _watch(self) -> Signal | None:
        run_id, watched = await self._enter()
        with closing(watched) as watcher:
            if self._direct is not None:
                watcher.outlet = Outlet(self._form, attrgetter(self._form), self._direct)
            last = await pump(watcher, self._write, self._listen(watcher, run_id))
            if watcher.refusal is not None:
                raise watcher.refusal
            return last

    async def _enter(self) -> tuple[UUID, Watcher]:
        """Begin to watch; with the snapshot, where it is asked for."""
        given = self._last_event_id
        cursor = requested(
            None if given is None else given.decode("latin1"), self._query.get("after")
        )
        access = await self._admit(self._wanted, Action.STREAM)
        run = access.run
        after = place(cursor, run.last_seq)
        if run.is_finished:
            await database_sync_to_async(keep)(run)
        watcher = get_hub().watch(run, after, "websocket", access.admission)
        try:
            if cursor is LATEST:
                snapshot = await database_sync_to_async(snapshot_envelope)(run)
                await self._text(snapshot.decode())
        except BaseException:
            watcher.close()
            raise
        return run.pk, watcher

    async def _write(self, item: Chunk | Signal) -> None:
        if isinstance(item, Chunk):
            await self._events(item)
        # Silence is the server's own ping, and the last word is the close.

    async def _listen(self, watcher: Watcher, run_id: UUID) -> None:
        while (message := await self._heard())["type"] != "websocket.disconnect":
            command = parse_command(message, conf().frame_bytes)
            match command["op"]:
                case "ping":
                    await self._text('{"op":"pong"}')
                case "stop":
                    await self._answer(command, partial(self._stop, run_id))
                case "send":
                    await self._answer(command, partial(self._send_to, command, run_id))
                case "grant":
                    await self._answer(command, partial(self._renew, command, watcher, run_id))
                case _:
                    raise Refusal(400, "bad_request", "The op is not ping, stop, send or grant.")
        self._left = True

    async def _answer(
        self, command: dict[str, Any], obey: Callable[[], Awaitable[dict[str, Any]]]
    ) -> None:
        """A refusal is an answer here, since it is no reason to stop watching."""
        answer = {"op": command["op"]}
        try:
            answer |= ref_in(command)
            answer |= await obey()
        except Refusal as refusal:
            answer |= refusal.content
        await self._text(encode(answer))

    async def _stop(self, run_id: UUID) -> dict[str, Any]:
        access = await self._admit(str(run_id), Action.STOP)
        await database_sync_to_async(cancel)(access.run, CancelRequest.STOP)
        return {"ok": True}

    async def _send_to(self, command: dict[str, Any], run_id: UUID) -> dict[str, Any]:
        data = message_in(command)
        access = await self._admit(str(run_id), Action.SEND)
        return {"ok": True, "number": await database_sync_to_async(send)(access.run, data)}

    async def _renew(
        self, command: dict[str, Any], watcher: Watcher, run_id: UUID
    ) -> dict[str, Any]:
        grant = self._visitor.read(command.get("grant"))
        if grant.run_id != run_id:
            raise Refusal(403, "forbidden", "The grant is for another run.")
        return await self._granted(command, watcher)
