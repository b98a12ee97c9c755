"""Tasks that tell in which circumstances they are executed."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.utils import timezone as zones
from django.utils import translation

from tasks import Context, SyncContext, task
from tasks.handles import Handle
from tasks.surroundings import circumstances

__all__ = [
    "APART",
    "GERMAN",
    "PLAIN",
    "RETURNING",
    "YIELDING",
    "Seen",
    "enqueue_in_german",
    "look",
    "look_in_command",
    "look_in_thread",
    "seen",
]

Seen = dict[str, Any]


def seen(context: Context | SyncContext) -> Seen:
    return {
        "request_id": context.request_id,
        "user_id": context.user_id,
        "language": translation.get_language(),
        "word": translation.gettext("Monday"),
        "time_zone": zones.get_current_timezone_name(),
    }


@task(takes_context=True)
async def look(context: Context) -> Seen:
    await asyncio.sleep(0)  # another task's turn
    return seen(context)


@task(takes_context=True)
def look_in_thread(context: SyncContext) -> Seen:
    return seen(context)


@task(takes_context=True)
async def look_from_thread_of_coroutine(context: Context) -> Seen:
    return await sync_to_async(seen)(context)


@task(takes_context=True)
async def look_in_values(context: Context) -> AsyncIterator[Seen]:
    yield seen(context)


@task(takes_context=True)
def look_in_thread_values(context: SyncContext) -> Iterator[Seen]:
    yield seen(context)


@task(takes_context=True, runner="process")
def look_in_process(context: SyncContext) -> Seen:
    return seen(context)


@task(takes_context=True, runner="process")
async def look_in_coroutine_of_process(context: Context) -> Seen:
    return seen(context)


@task(takes_context=True, runner="command")
def look_in_command(context: SyncContext) -> list[str]:
    return ["echo", json.dumps(seen(context))]


APART: list[Any] = [look_in_process, look_in_coroutine_of_process, look_in_command]
RETURNING = [look, look_in_thread, look_from_thread_of_coroutine]
YIELDING = [look_in_values, look_in_thread_values]


def enqueue_in_german(look: Any, **options: Any) -> Handle:
    """As a request would that is served in German to somebody in Tokyo."""
    token = circumstances.request_id.set("req-1")
    try:
        with translation.override("de"), zones.override("Asia/Tokyo"):
            handle: Handle = look.using(**options).enqueue()
            return handle
    finally:
        circumstances.request_id.reset(token)


GERMAN = {"request_id": "req-1", "language": "de", "word": "Montag", "time_zone": "Asia/Tokyo"}
PLAIN = {"request_id": None, "language": "en-us", "word": "Monday", "time_zone": "UTC"}
