"""What stands on what: the plan that the imports are held against."""

from itertools import chain

__all__ = ["BESIDE", "FORBIDDEN", "NAMED"]


def floors(package: str, *rows: str) -> dict[str, tuple[str, ...]]:
    """From the top down: what stands in one row knows nothing of the rows above."""
    named = [[f"{package}.{name}" for name in row.split()] for row in rows]
    return {
        place.replace(".", "/"): tuple(chain.from_iterable(named[:above]))
        for above, row in enumerate(named)
        for place in row
    }


# asgi_app → consumers → tasks, never the other way; and what ships knows no test.
FORBIDDEN = {
    "tasks": ("consumers", "asgi_app", "tests", "django.http"),
    "consumers": ("asgi_app", "tests"),
    "asgi_app": ("tests",),
    **floors("consumers", "views", "streams", "feeds", "access"),
    **floors(
        "tasks",
        # Ways in from outside of the code, and what is made of tasks.
        "apps cli management",
        "agents coordinator testing stream_run",
        "streaming pipelines",
        "specs",
        # What executes them.
        "engine.supervisor",
        "engine.workforce",
        "engine.upkeep",
        "checks",
        "backend shortcuts",
        "engine.executing",
        "runners",
        # What tasks and their callers have in hand.
        "context",
        "handles",
        # What all of that stands on.
        "engine.control",
        "engine.claims",
        "engine.pipelines",
        "engine.writing",
        "engine.attempts",
        "engine.news",
        "engine.metrics",
        "engine.process",
        "engine.store",
        "grants logs",
        "surroundings",
        "conf",
        "definition",
        "settings",
    ),
}

# What is imported from above all the same.
NAMED = {
    # Types: a backoff is given a handle, and control reaches a workforce.
    "tasks/definition/taskoptions.py imports tasks.handles.Handle",
    "tasks/engine/control.py imports tasks.engine.workforce.Workforce",
}

# What lies beside the rooms: what authors of tasks touch, what databases and settings have by
# its path, and the words that all rooms use.
BESIDE = {
    "tasks": "apps backend checks codec command commands compat conf context coordinator events"
    " exceptions fields grants ids logs message models shortcuts states stream_run stream_task"
    " task",
    "tasks/engine": "control supervisor workforce",
}
