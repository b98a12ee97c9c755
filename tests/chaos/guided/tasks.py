"""An agent with a tool that leaves a mark."""

from pathlib import Path

from tasks.agents import agent


def mark(path: str) -> str:
    """Adds a line to a file."""
    with Path(path).open("a") as file:
        file.write("done\n")
    return "done"


guide = agent(name="guide", tools=[mark], max_attempts=3)
caller = agent(name="caller", provider="program")
