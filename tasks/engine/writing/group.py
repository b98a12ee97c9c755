"""What one commit takes from the attempts that have something to write."""

from tasks.engine.attempts.attempt import Attempt
from tasks.engine.store import RunWrite

__all__ = ["gather"]


def gather(dirty: dict[Attempt, None], room: int) -> list[tuple[Attempt, RunWrite]]:
    """Take up to *room* events: whole attempts in the order in which they first had something.

    The caller holds the journal's lock.
    """
    group: list[tuple[Attempt, RunWrite]] = []
    while dirty and room > 0:
        attempt = next(iter(dirty))
        events = attempt.pending[:room]
        del attempt.pending[:room]
        room -= len(events)
        write = RunWrite(attempt.claim.run_id, attempt.claim.fence, events)
        write.progress, attempt.progress = attempt.progress, None
        write.stop_ignored, attempt.ignored = attempt.ignored, False
        del dirty[attempt]
        if attempt.pending:
            dirty[attempt] = None  # the rest queues up behind the others
        else:
            write.change = attempt.change
        group.append((attempt, write))
    return group
