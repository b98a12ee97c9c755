"""A conversation as the log of its run keeps it: events whose data are its messages.

========================== =================================================================
``agent.question``         ``text``; ``repair`` where the output did not fit its schema
``agent.answer``           ``turn``, ``text``, ``calls`` (each an ``id``, a ``name``, and its
                           ``arguments``), ``finish``
``agent.tool``             ``id``, ``name``, ``arguments``, and ``result`` or ``error``
``agent.usage``            ``turn``, ``input_tokens``, ``output_tokens`` of it, and the ``total``
========================== =================================================================

A run that continues another one's conversation begins its log with the messages of that one,
marked ``earlier``: it is whole by itself, whenever the other run goes.
"""

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from uuid import UUID

from tasks.agents.contract import Answer, Message, Outcome, Question, ToolCall, Usage
from tasks.agents.errors import CannotContinue
from tasks.codec import decode, encode
from tasks.conf import conf
from tasks.models import TaskEvent, TaskRun

__all__ = [
    "ANSWER",
    "CONTINUES",
    "CONVERSATION",
    "QUESTION",
    "TOOL",
    "USAGE",
    "Entry",
    "Kept",
    "fits",
    "kept",
    "message_of",
    "told",
    "used",
]

QUESTION: Final = "agent.question"
ANSWER: Final = "agent.answer"
TOOL: Final = "agent.tool"
USAGE: Final = "agent.usage"

#: Names in a run's metadata: the run before, and the first one of the conversation.
CONTINUES: Final = "continues"
CONVERSATION: Final = "conversation"

_UNMADE = "The run ended before this call was made."


class Entry(NamedTuple):
    """An event of a conversation."""

    type: str
    data: dict[str, Any]

    @property
    def earlier(self) -> bool:
        return bool(self.data.get("earlier"))


class Kept(NamedTuple):
    """What the database has of a conversation when an attempt begins."""

    #: Of this run's own log: earlier attempts have written it.
    entries: list[Entry]
    #: Of the run before that are to be copied still.
    to_copy: list[Entry]
    conversation: str


def kept(run_id: UUID) -> Kept:
    """What there is to go on from; :class:`CannotContinue` if the run before is of no use."""
    run = TaskRun.objects.using(conf().database).get(pk=run_id)
    own = list(_entries(run_id))
    before = run.metadata.get(CONTINUES)
    begun = any(not entry.earlier for entry in own)
    history = [] if before is None or begun else list(_history(before, run.task))
    # An attempt may have died while it copied: the copies have the order of what they copy.
    to_copy = history[sum(entry.earlier for entry in own) :]
    return Kept(own, to_copy, run.metadata.get(CONVERSATION) or str(run_id))


def message_of(entry: Entry) -> Message | None:
    """The message that an event holds, if it holds one."""
    data = entry.data
    match entry.type:
        case "agent.question":
            return Question(data["text"])
        case "agent.answer":
            calls = tuple(ToolCall(**call) for call in data["calls"])
            return Answer(data["text"], calls)
        case "agent.tool":
            return Outcome(data["id"], data["name"], told(data))
    return None


def told(data: dict[str, Any]) -> str:
    """What the model is told of a call: its result as it is if that is text, else as JSON."""
    if "error" in data:
        return json.dumps({"error": data["error"]}, ensure_ascii=False)
    result = data["result"]
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)


def fits(data: dict[str, Any]) -> bool:
    """Whether an event can hold *data*, marked as ``earlier`` too."""
    return len(encode(data | {"earlier": True}).encode()) <= conf().event_bytes


def used(entries: Iterable[Entry]) -> Usage:
    """What a run has used up to now."""
    each = (entry.data for entry in entries if entry.type == USAGE)
    return sum((Usage(data["input_tokens"], data["output_tokens"]) for data in each), Usage())


def _entries(run_id: UUID) -> Iterable[Entry]:
    events = TaskEvent.objects.using(conf().database).filter(
        run_id=run_id, type__in=(QUESTION, ANSWER, TOOL, USAGE)
    )
    for type_, data in events.order_by("seq").values_list("type", "data"):
        yield Entry(type_, decode(data))


def _history(before: str, task: str) -> Iterable[Entry]:
    """The messages of another run, each as a copy of it is written here."""
    run = TaskRun.objects.using(conf().database).filter(pk=before).first()
    if run is None:
        raise CannotContinue(f"There is no run {before} any more, whose conversation this is.")
    if run.task != task:
        raise CannotContinue(f"The run {before} is one of {run.task}, not of {task}.")
    if not run.is_finished:
        raise CannotContinue(f"The run {before} has not finished: its conversation still goes on.")
    entries = [entry for entry in _entries(run.pk) if entry.type != USAGE]
    for entry in (*entries, *_answers_to(entries)):
        yield Entry(entry.type, entry.data | {"earlier": True})


def _answers_to(entries: list[Entry]) -> Iterable[Entry]:
    """For calls that were never made: to a model, each call has to have an outcome."""
    start = max((n for n, entry in enumerate(entries) if entry.type == ANSWER), default=None)
    if start is None:
        return
    made = {entry.data["id"] for entry in entries[start:] if entry.type == TOOL}
    for call in entries[start].data["calls"]:
        if call["id"] not in made:
            yield Entry(TOOL, call | {"error": _UNMADE})
