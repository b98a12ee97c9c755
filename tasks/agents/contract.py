"""What a provider of language models is given, and what it owes."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = [
    "Answer",
    "Finish",
    "Message",
    "Outcome",
    "Piece",
    "Provider",
    "Question",
    "Request",
    "Text",
    "ToolCall",
    "ToolDescription",
    "Usage",
    "Waiting",
]


# What a conversation consists of


@dataclass(frozen=True, slots=True)
class Question:
    """What the model is told: by a user, or by us when its output does not fit."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model's wish. *arguments* are JSON text as it wrote it, which may be none."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One turn of the model; without calls it is the last one."""

    text: str
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the model is told of a call of its own."""

    id: str
    name: str
    text: str


Message = Question | Answer | Outcome


# What a reply consists of


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer's text, as it comes."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a reply has cost."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """The provider is tried again in so many seconds. Comes before all other pieces."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Why the model ended, in the provider's words, such as ``stop`` or ``length``."""

    reason: str


Piece = Text | ToolCall | Usage | Waiting | Finish


@dataclass(frozen=True, slots=True)
class ToolDescription:
    """A tool as the model sees it; *schema* is the JSON schema of its arguments, an object."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """All that a reply depends on: a provider keeps nothing from one to the next."""

    instructions: str
    messages: Sequence[Message]
    tools: Sequence[ToolDescription] = ()
    #: JSON schema that the text has to fit. The instructions tell the model of it too.
    output: Mapping[str, Any] | None = None


class Provider(Protocol):
    """A language model that can be asked.

    It belongs to no event loop: several runs, in several loops, ask it at once.
    """

    #: Whether its models can call tools.
    calls_tools: bool

    def reply(self, request: Request) -> AsyncGenerator[Piece, None]:
        """The pieces of one answer, as they come.

        It ends by itself only if the answer is whole, and raises :class:`ProviderError`
        otherwise. Closed or cancelled before, it ends what it has begun at once.
        """
        ...
