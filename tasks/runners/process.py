"""Any function, in a process of its own, which can be limited and really ended."""

from tasks.codec import decode, encode
from tasks.conf import conf
from tasks.engine import control
from tasks.engine.attempts.attempt import Attempt
from tasks.engine.attempts.inbox import Inbox
from tasks.engine.writing.journal import Journal
from tasks.events import check_type
from tasks.exceptions import InvalidEvent, TaskRaised
from tasks.runners.apart.client import Ended
from tasks.runners.apart.ending import died
from tasks.runners.apart.escort import Escort, escorted, together
from tasks.runners.apart.function import request
from tasks.runners.apart.lines import Lines, Output
from tasks.runners.apart.wire import Frame, Kind
from tasks.runners.contract import Call, Encoded

__all__ = ["run_in_process"]


async def run_in_process(call: Call) -> Encoded:
    """Call the function in a process forked for it, which ends with the attempt.

    Its events come from there, and what it writes to stdout and stderr as well. When it is
    stopped, a coroutine is cancelled there and a sync function finds ``cancel_requested`` set;
    what goes on for the grace period is ended by the system.
    """
    attempt, journal = call.context._attempt, call.context._journal
    assert call.server is not None
    capture = call.options.stream_output is not False
    async with escorted(call.server, attempt, _ask, capture=capture) as escort:
        await escort.send(Kind.REQUEST, request(attempt.claim))
        conversation = _Conversation(call, escort, attempt, journal)
        output = Output(attempt, journal)
        outputs = [Lines(name, output).read(file) for name, file in escort.outputs.items()]
        await together(conversation.hold(), *outputs, escort.hang_up())
        ended = await escort.ended()
    return conversation.outcome(ended)


def _ask(escort: Escort) -> None:
    escort.send_soon(Kind.STOP)


class _Conversation:
    """What a leader says, carried out."""

    def __init__(self, call: Call, escort: Escort, attempt: Attempt, journal: Journal) -> None:
        self._call = call
        self._escort = escort
        self._attempt = attempt
        self._journal = journal
        self._end: Frame | None = None

    async def hold(self) -> None:
        """Do what the leader says until it says no more."""
        while (got := await self._escort.receive()) is not None:
            await self._act(got)

    def outcome(self, ended: Ended) -> Encoded:
        """What the function returned; raises what it raised, or how it was ended."""
        if self._end is None:
            raise died(ended, self._call.options)
        if self._end.kind is Kind.RAISED:
            raise TaskRaised(decode(self._end.data))
        return Encoded(self._end.data.decode())

    async def _act(self, got: Frame) -> None:
        match got.kind:
            case Kind.BEGUN:
                self._call.begin()
            case Kind.EVENT:
                self._take_in(got.data)
            case Kind.TEXT:
                self._journal.append_text(self._attempt, got.data.decode())
            case Kind.FLUSH:
                await self._journal.flush(self._attempt)
                await self._escort.send(Kind.ANSWER)
            case Kind.WATCHERS:
                self._attempt.curious = True
                await self._escort.send(Kind.ANSWER, encode(self._attempt.watchers).encode())
            case Kind.LISTEN:
                if self._attempt.inbox is None:
                    self._attempt.listen(Inbox(self._forward))
                control.listen()
            case Kind.WAKE:
                control.wake()
            case Kind.RETURNED | Kind.RAISED:
                self._end = got
                self._call.over()
        if self._journal.full:
            await self._journal.room()

    def _forward(self, text: str) -> None:
        self._escort.send_soon(Kind.MESSAGE, text.encode())

    def _take_in(self, data: bytes) -> None:
        type_, _, text = data.partition(b"\n")
        if len(text) > conf().event_bytes:
            raise InvalidEvent(f"A process has sent an event of {len(text)} bytes.")
        self._journal.append_encoded(self._attempt, check_type(type_.decode()), text.decode())
