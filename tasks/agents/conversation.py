"""A conversation while it goes on: its messages in memory, each of them in the log as well."""

from collections.abc import Iterable, Iterator
from typing import Any

from asgiref.sync import sync_to_async

from tasks.agents import transcript
from tasks.agents.contract import Answer, Message, Outcome, ToolCall, Usage
from tasks.agents.transcript import ANSWER, QUESTION, TOOL, USAGE, Entry, Kept, fits
from tasks.context import Context

__all__ = ["Conversation"]


class Conversation:
    """What has been said in a run, by earlier attempts and by those before it too."""

    def __init__(self, context: Context, found: Kept) -> None:
        self._context = context
        self._entries = found.entries
        #: Id of the run that it began with.
        self.id = found.conversation
        self.usage = transcript.used(found.entries)

    @classmethod
    async def begin(cls, context: Context) -> "Conversation":
        """Go on from what the database has: a message that is there is not asked for again."""
        found = await sync_to_async(transcript.kept)(context.run_id)
        conversation = cls(context, found)
        for entry in found.to_copy:
            await conversation._add(entry.type, entry.data)
        return conversation

    @property
    def messages(self) -> list[Message]:
        return list(_messages(self._entries))

    @property
    def turns(self) -> int:
        """How often the model has answered in this run."""
        return sum(entry.type == ANSWER for entry in self._own())

    @property
    def calls(self) -> int:
        """How many calls of tools this run has made."""
        return sum(entry.type == TOOL for entry in self._own())

    @property
    def last(self) -> Message | None:
        """The newest message of this run, not of those before it."""
        return next(_messages(reversed(self._own())), None)

    @property
    def finish(self) -> str | None:
        """Why the model ended its last answer."""
        found = [entry.data["finish"] for entry in self._own() if entry.type == ANSWER]
        return found[-1] if found else None

    @property
    def open_calls(self) -> list[ToolCall]:
        """Those of the last answer that have no outcome."""
        messages = self.messages
        start = max((n for n, each in enumerate(messages) if isinstance(each, Answer)), default=0)
        made = {each.id for each in messages[start:] if isinstance(each, Outcome)}
        last = messages[start] if messages else None
        return (
            [call for call in last.calls if call.id not in made] if isinstance(last, Answer) else []
        )

    async def ask(self, text: str, *, repair: bool = False) -> None:
        await self._add(QUESTION, {"text": text} | ({"repair": True} if repair else {}))

    async def answer(self, answer: Answer, finish: str | None, usage: Usage) -> None:
        """Keep a turn of the model; committed when this returns."""
        calls = [
            {"id": call.id, "name": call.name, "arguments": call.arguments} for call in answer.calls
        ]
        turn = self.turns + 1
        await self._add(
            ANSWER, {"turn": turn, "text": answer.text, "calls": calls, "finish": finish}
        )
        self.usage += usage
        await self._add(USAGE, {"turn": turn, **_shown(usage), "total": _shown(self.usage)})
        await self._context.flush()

    async def outcome(self, call: ToolCall, arguments: object, outcome: dict[str, Any]) -> None:
        """Keep what came of a call, ``result`` or ``error``; committed when this returns."""
        about = {"id": call.id, "name": call.name, "arguments": arguments}
        if not fits(about | outcome):
            outcome = {"error": "The result is too large: ask for less of it."}
        await self._add(TOOL, about | outcome)
        await self._context.flush()

    def _own(self) -> list[Entry]:
        return [entry for entry in self._entries if not entry.earlier]

    async def _add(self, type_: str, data: dict[str, Any]) -> None:
        await self._context.emit(type_, data)
        self._entries.append(Entry(type_, data))


def _shown(usage: Usage) -> dict[str, int]:
    return {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}


def _messages(entries: Iterable[Entry]) -> Iterator[Message]:
    for entry in entries:
        if (message := transcript.message_of(entry)) is not None:
            yield message
