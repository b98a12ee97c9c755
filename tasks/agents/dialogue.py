"""An agent at work: asking its model, doing what that calls for, until there is an answer."""

import logging
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from asgiref.sync import sync_to_async

from tasks.agents.contract import Answer, Request, Text, ToolCall, Waiting
from tasks.agents.conversation import Conversation
from tasks.agents.errors import InvalidOutput, TurnsExceeded
from tasks.agents.output import Unfit, parsed
from tasks.agents.plan import Plan
from tasks.agents.providers import provider_for
from tasks.agents.reply import Reply, sound
from tasks.agents.tools import BadArguments, Tool
from tasks.context import Context
from tasks.exceptions import RunCancelled, RunLost

__all__ = ["perform"]

logger = logging.getLogger("headway.agents")

_LONGEST_ERROR = 1000  # characters
_REPAIR = "That does not fit. {problem} Answer again, with JSON alone that fits the schema."


async def perform(
    plan: Plan, context: Context, question: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    """The value of an agent's run.

    What earlier attempts have in the log is not done again: their answers stand, and so do
    the outcomes of their calls. A call that was under way when one died is made again.
    """
    instructions = await sync_to_async(plan.instruct)(question, values)
    conversation = await Conversation.begin(context)
    if conversation.last is None:
        await conversation.ask(await sync_to_async(plan.asked)(question, values))
    return await _Dialogue(plan, context, conversation, instructions).value()


class _Dialogue:
    def __init__(
        self, plan: Plan, context: Context, conversation: Conversation, instructions: str
    ) -> None:
        self._plan = plan
        self._context = context
        self._talk = conversation
        self._instructions = instructions
        self._provider = provider_for(plan.provider)
        self._spoken = False  # this attempt has appended text
        self._repaired = False

    async def value(self) -> dict[str, Any]:
        while True:
            await self._make_calls()
            last = self._talk.last
            if not isinstance(last, Answer):
                await self._turn()
                continue
            try:
                output = None if self._plan.output is None else parsed(last.text, self._plan.output)
            except Unfit as problem:
                await self._repair(problem)
            else:
                return self._told(last.text, output)

    async def _turn(self) -> None:
        """One answer of the model; its text is appended as it comes."""
        reply = Reply()
        async with aclosing(self._provider.reply(self._request())) as pieces:
            async for piece in pieces:
                begun = reply.begun
                reply.take(piece)
                match piece:
                    case Text(text):
                        await self._append(text, first=not begun)
                    case Waiting(seconds, reason):
                        again = f"trying again in {seconds:.1f} s"
                        await self._context.log(f"{reason}; {again}.", "warning")
        await self._talk.answer(reply.answer, reply.finish, reply.usage)

    async def _append(self, text: str, *, first: bool) -> None:
        if first and self._spoken:
            text = f"\n\n{text}"
        self._spoken = True
        await self._context.append(sound(text))

    def _request(self) -> Request:
        return Request(
            instructions=self._instructions,
            messages=self._talk.messages,
            tools=[tool.description for tool in self._plan.tools.values()],
            output=None if self._plan.output is None else self._plan.output.json,
        )

    async def _make_calls(self) -> None:
        calls = self._talk.open_calls
        if calls and self._talk.turns >= self._plan.max_turns:
            raise TurnsExceeded(
                f"The model still calls tools after {self._plan.max_turns} turns: {calls[0].name}."
            )
        for call in calls:
            await self._make(call)

    async def _make(self, call: ToolCall) -> None:
        """Call a tool. Whatever is wrong with that is the model's to hear, and no end."""
        arguments: Any = call.arguments
        try:
            tool = self._tool(call.name)
            arguments = tool.arguments(call.arguments)
            result = await tool.call(self._context, arguments)
        except BadArguments as error:
            outcome: dict[str, Any] = {"error": str(error)}
        except (RunLost, RunCancelled):
            raise
        except Exception as error:
            logger.warning("The tool %s() failed", call.name, exc_info=error)
            outcome = {"error": _described(error)}
        else:
            outcome = {"result": result}
        await self._talk.outcome(call, arguments, outcome)

    def _tool(self, name: str) -> Tool:
        try:
            return self._plan.tools[name]
        except KeyError:
            known = ", ".join(self._plan.tools) or "none"
            raise BadArguments(f"There is no tool {name!r}. Known: {known}.") from None

    async def _repair(self, problem: Unfit) -> None:
        if self._repaired:
            raise InvalidOutput(f"The model's answer does not fit its schema. {problem}")
        self._repaired = True
        await self._talk.ask(_REPAIR.format(problem=problem), repair=True)

    def _told(self, text: str, output: Any) -> dict[str, Any]:
        talk = self._talk
        usage = {"input_tokens": talk.usage.input_tokens, "output_tokens": talk.usage.output_tokens}
        return {
            "text": text,
            "output": output,
            "usage": usage,
            "turns": talk.turns,
            "calls": talk.calls,
            "finish": talk.finish,
            "conversation": talk.id,
        }


def _described(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]
    return text.encode("utf-8", "backslashreplace").decode()
