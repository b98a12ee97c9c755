"""The pieces of a reply, put together: one turn of a model."""

from tasks.agents.contract import Answer, Finish, Piece, Text, ToolCall, Usage
from tasks.agents.errors import ReplyTooLong
from tasks.codec import encode
from tasks.conf import conf

__all__ = ["Reply", "sound"]

_MOST_CALLS = 128
_LONGEST_FINISH = 64  # characters


class Reply:
    """What a model has said so far, within what an event can hold."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.finish: str | None = None
        self._texts: list[str] = []
        self._calls: dict[str, ToolCall] = {}
        self._size = 0
        # The rest is for what else is in the event, and for what a tool makes of a call.
        self._most = conf().event_bytes * 3 // 4

    def take(self, piece: Piece) -> None:
        """Add a piece; :class:`ReplyTooLong` if it is one too many."""
        match piece:
            case Text(text):
                text = sound(text)
                self._count(text)
                self._texts.append(text)
            case ToolCall():
                call = self._own(piece)
                self._count(call.id, call.name, call.arguments)
                self._calls[call.id] = call
                if len(self._calls) > _MOST_CALLS:
                    raise ReplyTooLong(f"The model calls more than {_MOST_CALLS} tools at once.")
            case Usage():
                self.usage = piece
            case Finish(reason):
                self.finish = sound(reason)[:_LONGEST_FINISH]

    @property
    def begun(self) -> bool:
        """Whether there is any text."""
        return bool(self._texts)

    @property
    def answer(self) -> Answer:
        return Answer("".join(self._texts), tuple(self._calls.values()))

    def _own(self, call: ToolCall) -> ToolCall:
        """The call with an id that no other one of the reply has: outcomes go by it."""
        id_ = wanted = sound(call.id) or "call"
        while id_ in self._calls:
            id_ = f"{wanted}-{len(self._calls)}"
        return ToolCall(id_, sound(call.name), sound(call.arguments))

    def _count(self, *texts: str) -> None:
        self._size += sum(len(encode(text).encode()) for text in texts)
        if self._size > self._most:
            raise ReplyTooLong(
                f"The model's reply is longer than {self._most} bytes of JSON, which is three"
                " quarters of HEADWAY['EVENT_BYTES']."
            )


def sound(text: str) -> str:
    """*text* without lone surrogates, which are no text: no JSON and no database takes them."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
