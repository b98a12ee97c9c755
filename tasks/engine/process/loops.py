"""Reaching an event loop from another thread."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVarTuple

__all__ = ["call_on"]

Ts = TypeVarTuple("Ts")


def call_on(loop: asyncio.AbstractEventLoop, callback: Callable[[*Ts], object], *args: *Ts) -> None:
    """Have *callback* called on *loop*. Nothing, if that is closed: who could hear is gone."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *args)
