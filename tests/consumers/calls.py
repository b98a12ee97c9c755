"""Tasks that clients enqueue by name."""

from typing import Any

from tasks import task

__all__ = ["greet", "tell"]


@task
async def greet(name: str, times: int = 1) -> str:
    return " ".join(["hello", name] * times)


@task(name="tell-a-story", takes_context=True)
async def tell(context: Any, self: str = "me", words: int = 3) -> int:
    """Has an argument that a method's call could not pass."""
    for number in range(words):
        await context.emit("word", {"n": number, "of": self})
    return words
