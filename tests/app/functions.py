"""Functions that are no tasks, for specs to name."""

import os
from collections.abc import Iterator
from typing import Any

__all__ = ["agreet", "count", "give", "greet", "pid"]


def greet(name: str, greeting: str = "Hi") -> str:
    return f"{greeting} {name}"


async def agreet(name: str) -> str:
    return f"Hi {name}"


def give(payload: Any = "nothing") -> Any:
    return payload


def count(to: int) -> Iterator[int]:
    yield from range(to)


def pid() -> int:
    return os.getpid()


NUMBER = 7
