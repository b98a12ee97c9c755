"""What an agent is: whom it asks, what it is told, what it may do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.agents.contract import Provider
from tasks.agents.schemas import Schema
from tasks.agents.templates import Prompt
from tasks.agents.tools import Tool

__all__ = ["Plan"]

_FORM = "Answer with JSON alone, without any other text. It has to fit this JSON schema:\n{schema}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    #: An entry of ``HEADWAY["AGENTS"]``, or a provider itself.
    provider: str | Provider
    instructions: Prompt
    #: What the model is asked; None: the question as it is.
    prompt: Prompt | None
    tools: Mapping[str, Tool]
    #: Answers of the model in a run, without those that repair its output.
    max_turns: int
    output: Schema | None

    def instruct(self, question: str, values: Mapping[str, Any]) -> str:
        """What the model is told before all else; :class:`MissingVariable` if a value is."""
        text = self.instructions.render({"question": question, **values})
        if self.output is None:
            return text
        form = _FORM.format(schema=_compact(self.output.json))
        return f"{text}\n\n{form}" if text else form

    def asked(self, question: str, values: Mapping[str, Any]) -> str:
        """The user's message; :class:`MissingVariable` if a value is."""
        if self.prompt is None:
            return question
        return self.prompt.render({"question": question, **values})


def _compact(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
