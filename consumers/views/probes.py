"""Asking what this process stands on whether it answers, and not waiting for long."""

import asyncio
import logging
from concurrent.futures import Future
from functools import cache
from typing import Any

from channels.layers import get_channel_layer
from django.db import connections

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.process.threads import DatabaseThread

__all__ = ["database_answers", "layer_answers"]

logger = logging.getLogger("headway.health")

PATIENCE = 2.0  # seconds: less than what probes commonly allow


class _Database:
    """Asks in a thread of its own, one question at a time: a server that hangs is not asked
    again, and neither requests nor probes pile up behind it.
    """

    def __init__(self) -> None:
        self._thread = DatabaseThread("headway-health")
        self._asking: Future[str] | None = None
        self._failing = ""  # said once, not at every probe

    async def answers(self) -> bool:
        if self._asking is None or self._asking.done():
            self._asking = self._thread.submit(_ask)
        try:
            async with asyncio.timeout(PATIENCE):
                wrong = await asyncio.shield(asyncio.wrap_future(self._asking))
        except TimeoutError:
            wrong = f"no answer in {PATIENCE:g} s"
        if wrong and wrong != self._failing:
            logger.warning("The database %s cannot be reached: %s.", _named(), wrong)
        elif self._failing and not wrong:
            logger.info("The database %s answers again.", _named())
        self._failing = wrong
        return not wrong


@cache
def _database() -> _Database:
    return _Database()


async def database_answers() -> bool:
    """Whether the database can be connected to, and answers."""
    return await _database().answers()


async def layer_answers() -> bool:
    """Whether the Channels layer takes a message."""
    layer: Any = get_channel_layer(conf().channel_layer)
    try:
        async with asyncio.timeout(PATIENCE):
            await layer.group_send("headway.health", {"type": "headway.health"})
    except Exception:
        return False  # who publishes and who listens says why in the log
    return True


def _ask() -> str:
    """What is wrong, or nothing. The connection is a new one each time: it is asked for too."""
    try:
        return "" if store.answers() else "it does not answer"
    except Exception as error:
        return type(error).__name__  # its text may name the user
    finally:
        connections.close_all()


def _named() -> str:
    """Alias and place of the database, as they stand in the settings."""
    alias = conf().database
    settings = connections.settings[alias]
    host, port = settings.get("HOST"), settings.get("PORT")
    place = f"{host or 'localhost'}{f':{port}' if port else ''}/" if host or port else ""
    return f"{alias!r} ({place}{settings.get('NAME')})"
