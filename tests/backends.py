"""What the suite runs on: a SQLite file and the in-memory layer, or the servers it is given.

``python -m tests.services -- pytest`` gives it both.
"""

import os
from pathlib import Path
from typing import Any

from asgi_app.databases import database, sqlite
from asgi_app.layers import layer

__all__ = ["channel_layers", "databases"]


def databases(folder: Path) -> dict[str, dict[str, Any]]:
    """``DATABASES``: ``TEST_DATABASE_URL``, or files in *folder*."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        # The tests' own connections are few, and must be gone when the database is dropped.
        return {"default": database(f"{url}{'&' if '?' in url else '?'}pool_max_size=0")}
    # Live servers and the threads of the engine share the database, so it is a file.
    files = {"TEST": {"NAME": folder / "test.sqlite3"}}
    return {"default": sqlite(folder / "db.sqlite3") | files}


def channel_layers() -> dict[str, dict[str, Any]]:
    """``CHANNEL_LAYERS``: ``TEST_REDIS_URL``, or the in-memory layer."""
    if url := os.environ.get("TEST_REDIS_URL"):
        return {"default": layer(url)}
    return {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
