"""Telling others that this process lives."""

import logging
import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from channels.layers import get_channel_layer
from django.db import DatabaseError, InterfaceError, connections

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.process.threadedchild import ThreadedChild
from tasks.engine.store import WorkerInfo
from tasks.settings import queues

__all__ = ["SILENT", "Presence", "new_worker_id", "this_host"]

logger = logging.getLogger("headway.presence")

SILENT = 10  # leases after which a process that says nothing is forgotten


def this_host() -> str:
    """The machine's, or container's, name as the worker table has it."""
    return socket.gethostname()[:255]


def new_worker_id() -> str:
    """What no other workforce is called, ever; people read from it where it is."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


class Presence(ThreadedChild):
    """Keeps this process's row in the worker table, from its start to its orderly end.

    In a thread and on a connection of its own: a blocked event loop is no death, and
    whatever holds this up must not hold up the leases. Nothing is decided by the table.
    """

    name = "presence"

    def __init__(self, worker_id: str) -> None:
        super().__init__()
        self._info = _describe(worker_id)
        self._draining = False

    def drain(self) -> None:
        """Say from now on that this process takes no more runs."""
        self._draining = True

    def watch(self, ending: threading.Event) -> None:
        sweep = time.monotonic()
        while not ending.is_set():
            try:
                store.show_up(self._info, self._draining)
                if time.monotonic() >= sweep:
                    store.forget_silent(conf().lease * SILENT)
                    sweep = time.monotonic() + conf().lease * SILENT / 2
            except (DatabaseError, InterfaceError) as error:
                logger.warning("Other processes cannot be told of this one: %s", error)
                connections.close_all()
            ending.wait(conf().lease / 3)
        with suppress(DatabaseError, InterfaceError):  # then the others will notice
            store.leave(self._info.id)


def _describe(worker_id: str) -> WorkerInfo:
    return WorkerInfo(
        id=worker_id,
        host=this_host(),
        pid=os.getpid(),
        role=conf().role,
        queues=queues.names(conf().queues),
        concurrency=conf().concurrency,
        version=_version(),
        layer=_path(get_channel_layer(conf().channel_layer)),
    )


def _version() -> str:
    try:
        return version("django-headway")[:40]
    except PackageNotFoundError:
        return ""  # run from its sources


def _path(layer: Any) -> str:
    return f"{type(layer).__module__}.{type(layer).__qualname__}"[:255]
