"""The story that the demo tells, token by token."""

import re
from functools import cache
from pathlib import Path

__all__ = ["tokens"]

# About what a language model makes of prose: a few letters, with the space before them.
_TOKEN = re.compile(r"\s*\S{1,5}|\s+")


@cache
def tokens() -> tuple[str, ...]:
    """The pieces of the story; joined, they are the story."""
    text = (Path(__file__).parent / "data" / "story.txt").read_text(encoding="utf-8")
    return tuple(_TOKEN.findall(text))
