"""The agents of the tests, and whom they ask: whichever provider a test has put on stage."""

import asyncio
import datetime
import threading
from collections.abc import AsyncGenerator, Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

from tasks import Context
from tasks.agents import agent
from tasks.agents.contract import Piece, Provider, Request
from tasks.models import TaskEvent

__all__ = ["PRICES", "STAGE", "Stage"]


class Stage:
    """Asks the provider of the test that is running."""

    calls_tools = True
    provider: Provider

    def reply(self, request: Request) -> AsyncGenerator[Piece, None]:
        return self.provider.reply(request)


STAGE = Stage()
#: What tools have done.
DEEDS: list[Any] = []
#: Tools of this kind wait for it.
GATE = threading.Event()

PRICES = {
    "type": "object",
    "properties": {"price": {"type": "number"}, "currency": {"enum": ["EUR", "USD"]}},
    "required": ["price", "currency"],
}


async def order_status(
    number: Annotated[int, "as on the invoice"], detail: Literal["short", "long"] = "short"
) -> dict[str, Any]:
    """How far an order is."""
    DEEDS.append((number, detail))
    return {"number": number, "sent": datetime.date(2026, 11, 22), "total": Decimal("9.90")}


def in_a_thread() -> str:
    """Says where it is called."""
    return threading.current_thread().name


def break_down(why: str) -> None:
    """Fails."""
    raise RuntimeError(why)


def nothing_of_json() -> object:
    """Returns what JSON cannot carry."""
    return object()


def much(size: int) -> str:
    """A long text."""
    return "x" * size


def linger() -> None:
    """Stays in its thread until the test is over."""
    DEEDS.append("lingers")
    GATE.wait(60)


async def wait_for_ever(context: Context) -> None:
    """Ends by cancellation alone."""
    await context.emit("tool.waits")
    await asyncio.Event().wait()


async def what_is_written(context: Context) -> list[str]:
    """Types of the events that the run's log has."""
    events = TaskEvent.objects.filter(run_id=context.run_id).order_by("seq")
    return [event.type async for event in events]


TOOLS: list[Callable[..., Any]] = [
    order_status,
    in_a_thread,
    break_down,
    nothing_of_json,
    much,
    linger,
    wait_for_ever,
    what_is_written,
]

plain = agent(name="plain", provider=STAGE)
helper = agent(name="helper", provider=STAGE, tools=TOOLS, max_turns=4)
persistent = agent(name="persistent", provider=STAGE, tools=TOOLS, max_attempts=3, max_turns=4)
clerk = agent(name="clerk", provider=STAGE, output=PRICES)
shopkeeper = agent(
    name="shopkeeper",
    provider=STAGE,
    instructions="You keep {{ shop.name }}.{% if closed %} It is closed.{% endif %}",
    prompt="{{ customer }} asks: {{ question }}",
)
hasty = agent(name="hasty", provider=STAGE, timeout=1.0)
