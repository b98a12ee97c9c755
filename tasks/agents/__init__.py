"""Agents: tasks that language models do, with tools that are functions of yours.

::

    from tasks.agents import agent

    def order_status(number: Annotated[int, "as on the invoice"]) -> dict:
        "How far an order is."
        ...

    support = agent(
        name="support",
        instructions="You answer customers of {{ shop }}.",
        tools=[order_status],
    )

    handle = support.enqueue("Where is my order 7?", shop="Acme")
"""

from tasks.agents.agent import Agent, agent

__all__ = ["Agent", "agent"]
