"""A request in the words of the chat completions protocol. Pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.agents.contract import Answer, Message, Outcome, Question, Request, ToolDescription

__all__ = ["FORMS", "body"]

#: How an endpoint is asked for JSON, by the type of its ``response_format``.
FORMS = ("json_schema", "json_object", "none")


def body(request: Request, model: str, form: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of a request. *options* are added last; one that is None is left out."""
    made: dict[str, Any] = {
        "model": model,
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [*_system(request.instructions), *map(_message, request.messages)],
    }
    if request.tools:
        made["tools"] = list(map(_tool, request.tools))
    if request.output is not None and form != "none":
        made["response_format"] = _response_format(form, request.output)
    return {name: value for name, value in (made | dict(options)).items() if value is not None}


def _system(instructions: str) -> Sequence[dict[str, Any]]:
    return [{"role": "system", "content": instructions}] if instructions else []


def _message(message: Message) -> dict[str, Any]:
    match message:
        case Question(text):
            return {"role": "user", "content": text}
        case Outcome(id=id_, text=text):
            return {"role": "tool", "tool_call_id": id_, "content": text}
        case Answer(text, calls):
            said: dict[str, Any] = {"role": "assistant", "content": text}
            if calls:
                said["tool_calls"] = [
                    {
                        "id": call.id,
                        "type": "function",
                        "function": {"name": call.name, "arguments": call.arguments},
                    }
                    for call in calls
                ]
            return said


def _tool(tool: ToolDescription) -> dict[str, Any]:
    about = {"name": tool.name, "description": tool.description, "parameters": dict(tool.schema)}
    return {"type": "function", "function": about}


def _response_format(form: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    if form == "json_object":
        return {"type": form}
    return {"type": form, "json_schema": {"name": "output", "schema": dict(schema)}}
