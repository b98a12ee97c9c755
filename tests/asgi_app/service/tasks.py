"""Tasks that say on stdout when they begin and end."""

import asyncio
import time

from tasks import task


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the test reads it


@task
async def rest(seconds: float) -> None:
    """Ends, or is cancelled, like a well-behaved task."""
    say("task begun")
    try:
        await asyncio.sleep(seconds)  # how long it is under way is what the test asks for
    except asyncio.CancelledError:
        say("task cancelled")
        raise
    say("task ended")


@task
def occupy(seconds: float) -> None:
    """Nothing can interrupt its thread."""
    say("task begun")
    time.sleep(seconds)  # to take so long is what it is for
    say("task ended")
