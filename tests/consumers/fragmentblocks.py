"""Fragments of HTML as a browser reads them."""

import re
from typing import NamedTuple


class Block(NamedTuple):
    id: str
    event: str
    data: str


def blocks(body: bytes) -> list[Block]:
    """As a browser understands them (HTML standard, section 9.2.6)."""
    found: list[Block] = []
    id_, event, data = "", "", list[str]()
    for line in re.split(r"\r\n|\r|\n", body.decode()):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                found.append(Block(id_, event, "\n".join(data)))
            event, data = "", []
        elif name == "id":
            id_ = value
        elif name == "event":
            event = value
        elif name == "data":
            data.append(value)
    return found
