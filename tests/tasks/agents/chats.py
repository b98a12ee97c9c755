"""Asking the endpoint of a test."""

from contextlib import aclosing
from typing import Any

from tasks.agents.chat import ChatCompletions
from tasks.agents.contract import Piece, Question, Request, Text
from tests.tasks.agents.conftest import KEY
from tests.tasks.agents.endpoint import Endpoint

__all__ = ["HELLO", "pieces", "provider", "whole"]

HELLO = Request(instructions="", messages=[Question("Hello?")])


def provider(endpoint: Endpoint, **options: Any) -> ChatCompletions:
    given: dict[str, Any] = {"model": "tiny", "api_key": KEY, "longest_wait": 0.05} | options
    return ChatCompletions(base_url=endpoint.url, **given)


async def pieces(asked: ChatCompletions, request: Request = HELLO) -> list[Piece]:
    async with aclosing(asked.reply(request)) as found:
        return [piece async for piece in found]


def whole(found: list[Piece]) -> str:
    return "".join(piece.text for piece in found if isinstance(piece, Text))
