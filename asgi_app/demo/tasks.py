"""The demo's three tasks: rows into a table, a story told, a countdown to interrupt.

Each may be cut off anywhere, by ``kill -9`` too, and goes on where it was: that is what
its second attempt reads first.
"""

import asyncio
import time
from typing import Any, Final

from asgiref.sync import sync_to_async

from asgi_app.demo import story
from asgi_app.demo.models import CatalogImport, CatalogRow
from tasks import Context, SyncContext, Task, task
from tasks.handles import get_handle
from tasks.models import TaskEvent

__all__ = ["DEMO", "countdown", "import_catalog", "tell_story"]

BATCH = 250  # rows: one transaction
TOKEN_PAUSE = 0.04  # seconds: about the pace of a language model
LONGEST = 3600  # seconds a countdown may take
TOKEN = "token"  # the type of an event that carries a piece of the story


# One try: a file that is wrong stays wrong. That a process dies is not held against it,
# see HEADWAY["LOST_ATTEMPTS"].
@task(takes_context=True, max_attempts=1)
def import_catalog(context: SyncContext, import_id: int, pace: int = 0) -> dict[str, int]:
    """Bring a catalogue into the table, at most *pace* rows a second (0: any number).

    May be repeated: rows go in by number and in order, so those that are there already
    are the beginning of the file, and the import goes on behind them.
    """
    source = CatalogImport.objects.get(pk=import_id)
    products = source.products()
    there = source.rows.count()
    if there:
        context.log(f"{there} rows are there already; going on behind them.")
    batch: list[CatalogRow] = []
    tracked = context.track(products[there:], message="rows", done=there)
    for number, product in enumerate(tracked, start=there + 1):
        batch.append(CatalogRow(source=source, number=number, **product._asdict()))
        if len(batch) == BATCH or number == len(products):
            # A process that was frozen and then replaced may still send a batch.
            CatalogRow.objects.bulk_create(batch, ignore_conflicts=True)
            batch.clear()
            if context.cancel_requested:
                break
            time.sleep(BATCH / pace if pace else 0)
    return {"rows": source.rows.count(), "import": import_id}


@task(takes_context=True, max_attempts=100, metadata={"title": "A story, token by token"})
async def tell_story(context: Context) -> dict[str, int]:
    """Emit the story's tokens; a later attempt goes on after the last one in the log."""
    tokens = story.tokens()
    told = await TaskEvent.objects.filter(run_id=context.run_id, type=TOKEN).acount()
    for token in tokens[told:]:
        await context.emit(TOKEN, {"text": token})
        await asyncio.sleep(TOKEN_PAUSE)
    return {"tokens": len(tokens)}


@task(takes_context=True, max_attempts=100)
async def countdown(context: Context, seconds: int) -> str:
    """Count seconds; a later attempt goes on where the newest progress in the log is."""
    seconds = min(seconds, LONGEST)
    handle = await sync_to_async(get_handle)(context.run_id)
    passed = handle.progress["done"] if handle.progress else 0
    if passed:
        await context.log(f"Attempt {context.attempt} goes on at {passed} of {seconds} seconds.")
    await context.progress(passed, seconds, "seconds")
    for second in range(passed + 1, seconds + 1):
        await asyncio.sleep(1)
        await context.progress(second, seconds, "seconds")
    return "Lift-off"


DEMO: Final[tuple[Task[..., Any], ...]] = (import_catalog, tell_story, countdown)
