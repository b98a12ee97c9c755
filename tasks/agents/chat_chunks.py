"""A streamed reply of the chat completions protocol, chunk by chunk. No I/O."""

import json
from collections.abc import Iterator
from typing import Any

from tasks.agents.contract import Finish, Piece, Text, ToolCall, Usage
from tasks.agents.errors import ReplyBroken

__all__ = ["Chunks", "complaint"]

_DONE = "[DONE]"


class Chunks:
    """Puts together what comes in parts: the calls of tools, and characters cut in two."""

    def __init__(self, longest: int) -> None:
        self._longest = longest  # characters of all calls
        self._length = 0
        self._calls: dict[int, dict[str, str]] = {}
        self._half = ""
        self._finished = False
        #: The endpoint has said that nothing follows.
        self.done = False

    def take(self, data: str) -> Iterator[Piece]:
        """The pieces that the data of an event holds; :class:`ReplyBroken` if it is no chunk."""
        if data.strip() == _DONE:
            self.done = True
            return
        chunk = _object(_json(data))
        if chunk.get("error"):
            raise ReplyBroken(f"The endpoint broke off: {complaint(chunk)}")
        # Where both come, the usage is that of the whole.
        if isinstance(usage := chunk.get("usage"), dict):
            yield Usage(_count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))
        for choice in _list(chunk.get("choices"))[:1]:
            yield from self._choice(_object(choice))

    @property
    def complete(self) -> bool:
        """Whether the reply has ended, even if the stream has not."""
        return self.done or self._finished

    def end(self) -> Iterator[ToolCall]:
        """The calls; :class:`ReplyBroken` if the stream ended before the reply did."""
        if not self.complete:
            raise ReplyBroken("The stream was cut: it ended before the reply did.")
        for index in sorted(self._calls):
            call = self._calls[index]
            yield ToolCall(call["id"] or f"call_{index}", call["name"], call["arguments"])

    def _choice(self, choice: dict[str, Any]) -> Iterator[Piece]:
        delta = _object(choice.get("delta") or {})
        for name in ("content", "refusal"):
            if text := self._whole(_text(delta.get(name))):
                yield Text(text)
        for number, part in enumerate(_list(delta.get("tool_calls"))):
            self._call(_object(part), number)
        if reason := _text(choice.get("finish_reason")):
            self._finished = True
            yield Finish(reason)

    def _whole(self, text: str) -> str:
        """*text* without the half of a character that it ends with: that waits for the other."""
        text, self._half = self._half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _call(self, part: dict[str, Any], number: int) -> None:
        index = part.get("index")
        if not isinstance(index, int):
            # Some endpoints send each call whole, and without a number.
            index = len(self._calls) if part.get("id") else max(self._calls, default=number)
        call = self._calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
        function = _object(part.get("function") or {})
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        call["id"] = call["id"] or _text(part.get("id"))
        name = _text(function.get("name"))
        if name != call["name"]:  # some endpoints repeat it with every part
            call["name"] += name
        call["arguments"] += _text(arguments)
        self._length += 1 + len(name) + len(_text(arguments))
        if self._length > self._longest:
            raise ReplyBroken(f"The calls of a reply are longer than {self._longest} characters.")


def complaint(body: Any) -> str:
    """What an endpoint says went wrong, from an error's body."""
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return message if isinstance(message, str) else json.dumps(body, ensure_ascii=False)


def _json(data: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ReplyBroken(f"A chunk is no JSON: {error}.") from None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected("an object", value)
    return value


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _unexpected("a list", value)
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _unexpected("a text", value)
    return value


def _unexpected(wanted: str, value: Any) -> ReplyBroken:
    return ReplyBroken(f"A chunk has {type(value).__name__} where {wanted} belongs.")


def _count(usage: dict[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and value >= 0 else 0
