"""Many runs over one WebSocket: commands and their answers between the envelopes."""

import asyncio
from contextlib import closing
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async

from consumers.admission import Admission
from consumers.asgi import Receive, Scope, Send
from consumers.auth import Action
from consumers.bundle import Bundle, Item, Member
from consumers.chunk import Chunk
from consumers.commands import parse_object, ref_in
from consumers.cursor import LATEST, given, place
from consumers.follower import Signal
from consumers.hub import get_hub
from consumers.keep import keep
from consumers.onlooker import admit_to_list
from consumers.operations import cancel, message_in, send
from consumers.outage import outages_refused
from consumers.pump import pump
from consumers.refusal import Refusal
from consumers.sight import Sight
from consumers.snapshot import snapshot_envelope
from consumers.socketlist import SocketList
from consumers.websocket import Socket
from tasks.codec import encode
from tasks.conf import conf
from tasks.exceptions import MalformedRunId
from tasks.ids import parse_run_id
from tasks.states import CancelRequest

__all__ = ["BundleSocket"]

_SUBSCRIBED = Refusal(409, "subscribed", "This run is subscribed: unsubscribe it first.")
_GONE = Refusal(404, "gone", "The run was deleted.")
_UNAVAILABLE = Refusal(503, "unavailable", "The log cannot be read now: subscribe again.")

Command = dict[str, Any]


class BundleSocket(Socket):
    """One client's subscriptions, at most one of a run at a time.

    Commands are obeyed one after the other, and an answer waits for its place between the
    events: so all events of a run between the answer to ``subscribe`` and that to
    ``unsubscribe``, or ``ended``, are of that subscription, and outside there are none.
    Whoever does not read is not listened to either.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._bundle: Bundle
        self._refs: dict[Member, Command] = {}
        self._refusal: Refusal | None = None
        # Waiters get it in the order in which they came, and what an item says was so when
        # it was taken from the bundle: before whatever a command has changed since.
        self._writing = asyncio.Lock()
        self._ops = {
            "ping": self._ping,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "stop": self._stop,
            "send": self._send_to,
            "grant": self._grant,
            "list": self._begin_list,
            "unlist": self._end_list,
        }
        self._list = SocketList(self._texts)

    async def _watch(self) -> Signal | None:
        rights = get_hub().rights
        with closing(get_hub().bundle("websocket")) as self._bundle, closing(self._list):
            rights.hold(self, Admission(await self._identity()))
            try:
                last = await pump(self._bundle, self._write, self._listen())
            finally:
                rights.release(self)
            if self._refusal is not None:
                raise self._refusal
            return last

    def deny(self, refusal: Refusal) -> None:
        """Whoever they were, they are no more: not for these runs, and not for others."""
        self._refusal = refusal
        self._bundle.close()

    async def _write(self, items: list[Item] | Signal) -> None:
        if isinstance(items, Signal):
            return  # see RunSocket
        refs = [self._refs.pop(item.member, {}) if item.last else {} for item in items]
        async with self._writing:
            envelopes: list[bytes] = []  # of those that share a frame
            for item, ref in zip(items, refs, strict=True):
                if isinstance(item.found, Chunk):
                    if self._batched:
                        envelopes += item.found.envelopes
                    else:
                        await self._events(item.found)
                if item.last and not self._bundle.leaving:
                    await self._joined(envelopes)
                    await self._text(encode(_ended(item) | ref))
            await self._joined(envelopes)

    async def _joined(self, envelopes: list[bytes]) -> None:
        if envelopes:
            await self._text(b"\n".join(envelopes).decode())
            envelopes.clear()

    async def _listen(self) -> None:
        while (message := await self._heard())["type"] != "websocket.disconnect":
            await self._obey(parse_object(message, conf().frame_bytes))
        self._left = True

    async def _obey(self, command: Command) -> None:
        """Do it, and answer with its ``ref``. A refusal is an answer too."""
        op = command.get("op")
        obey = self._ops.get(op) if isinstance(op, str) else None
        answer = {"op": op if obey else "error", "ref": None}
        try:
            answer = {"op": answer["op"], **ref_in(command)}
            if obey is None:
                raise Refusal(400, "bad_request", f"The op must be one of {', '.join(self._ops)}.")
            with outages_refused():
                await obey(command, answer)
        except Refusal as refusal:
            await self._answer(answer | refusal.content)

    async def _ping(self, command: Command, answer: Command) -> None:
        await self._answer({**answer, "op": "pong"})

    async def _subscribe(self, command: Command, answer: Command) -> None:
        cursor = given(command.get("after"))
        limit = conf().subscriptions
        if len(self._bundle.members) >= limit:
            message = f"A WebSocket may have {limit} subscriptions: unsubscribe, or open another."
            raise Refusal(429, "too_many", message)
        access = await self._admit(_run_in(command), Action.STREAM)
        run = access.run
        after = place(cursor, run.last_seq)
        if run.is_finished:
            await database_sync_to_async(keep)(run)
        if cursor is LATEST:
            snapshot = (await database_sync_to_async(snapshot_envelope)(run)).decode()
        answer["run"] = str(run.pk)
        async with self._writing:
            if run.pk in self._bundle.members:
                # Not after its end, which may be near: then it would be no true word.
                await self._text(encode(answer | _SUBSCRIBED.content))
                return
            opening = [encode(answer | {"ok": True, "after": after})]
            if cursor is LATEST:
                opening.append(snapshot)
            await self._begin(
                self._bundle.open(run, after, access.admission), ref_in(command), opening
            )

    async def _begin(self, member: Member, ref: Command, opening: list[str]) -> None:
        try:
            for text in opening:
                await self._text(text)
        except BaseException:
            member.close()
            raise
        self._refs[member] = ref
        self._bundle.add(member)

    async def _unsubscribe(self, command: Command, answer: Command) -> None:
        run_id = _parsed(_run_in(command))
        member = self._bundle.members.get(run_id)
        if member is None:
            raise Refusal(404, "not_subscribed", "This run is not subscribed, or no more.")
        self._bundle.remove(member)
        self._refs.pop(member, None)
        await self._answer({**answer, "run": str(run_id), "ok": True})

    async def _stop(self, command: Command, answer: Command) -> None:
        access = await self._admit(_run_in(command), Action.STOP)
        await database_sync_to_async(cancel)(access.run, CancelRequest.STOP)
        await self._answer({**answer, "run": str(access.run.pk), "ok": True})

    async def _send_to(self, command: Command, answer: Command) -> None:
        data = message_in(command)
        access = await self._admit(_run_in(command), Action.SEND)
        number = await database_sync_to_async(send)(access.run, data)
        said = {"run": str(access.run.pk), "ok": True, "number": number}
        await self._answer({**answer, **said})

    async def _grant(self, command: Command, answer: Command) -> None:
        grant = self._visitor.read(command.get("grant"))
        renewed = self._bundle.members.get(grant.run_id)
        await self._answer(answer | await self._granted(command, renewed))

    async def _begin_list(self, command: Command, answer: Command) -> None:
        who = await database_sync_to_async(admit_to_list)(self._visitor)
        await self._list.begin(command, answer, Sight(who.user))

    async def _end_list(self, command: Command, answer: Command) -> None:
        await self._list.end(answer)

    async def _texts(self, texts: list[str]) -> None:
        async with self._writing:
            for text in ["\n".join(texts)] if self._batched else texts:
                await self._text(text)

    async def _answer(self, answer: Command) -> None:
        async with self._writing:
            await self._text(encode(answer))


def _ended(item: Item) -> Command:
    """A subscription's last word, with the last event of it."""
    member, found, _ = item
    refusal = member.refusal or (_GONE if found is Signal.GONE else _UNAVAILABLE)
    said = {"op": "ended", "run": str(member.run_id), "after": member.cursor}
    if isinstance(found, Signal):
        said |= refusal.content
    return said


def _run_in(command: Command) -> str:
    run = command.get("run")
    if not isinstance(run, str):
        raise Refusal(400, "malformed_id", str(MalformedRunId.__doc__))
    return run


def _parsed(run: str) -> UUID:
    try:
        return parse_run_id(run)
    except MalformedRunId as error:
        raise Refusal(400, "malformed_id", str(error)) from None
