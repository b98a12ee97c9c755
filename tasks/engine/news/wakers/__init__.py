"""How a process learns at once that another has enqueued a run, or asks one to end.

A waker is a child of the supervisor; each way has a file of its own. Whatever they miss,
polling finds: wakers are only latency.

======================= =======================================================
:mod:`.data_version`    SQLite: the file says that someone else has committed
:mod:`.notifications`   PostgreSQL without Redis: LISTEN and NOTIFY
:mod:`.layer`           any Channels layer that other processes hear
======================= =======================================================
"""

from collections.abc import Callable
from functools import partial

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import connections

from tasks.conf import conf
from tasks.engine.news.wakers import data_version, layer, notifications
from tasks.engine.news.wakers.news import Hear, News
from tasks.engine.process.children import Child
from tasks.engine.process.threads import DatabaseThread

__all__ = ["News", "announce", "commits", "others_hear", "wakers"]


def wakers(hear: Hear, writer: DatabaseThread) -> list[Child]:
    """The children that call *hear*, on the loop, with what another process tells.

    What *writer* commits is this process's own, and known here.
    """
    vendor = connections[conf().database].vendor
    found: list[Child] = []
    if vendor == "sqlite":
        # It tells that something was written, not what; for a cancel, polling is quick enough.
        wake = partial(hear, News.RUN)
        found.append(Child("waker: data_version", data_version.Waker(wake, writer).serve))
    if others_hear():
        found.append(Child("waker: layer", layer.Waker(hear).serve))
    elif vendor == "postgresql":
        found.append(Child("waker: notifications", notifications.Waker(hear).serve))
    return found


def commits(look: Callable[[], None]) -> list[Child]:
    """The children that call *look*, on the loop, when another process may have written
    events of which no layer tells: several processes on one SQLite file.
    """
    if connections[conf().database].vendor != "sqlite" or others_hear():
        return []
    return [Child("waker: commits", data_version.Waker(look).serve)]


def announce(news: News) -> None:
    """Tell other processes. Any thread, after the commit."""
    if others_hear():
        layer.announce(news)
    elif connections[conf().database].vendor == "postgresql":
        notifications.announce(news)


def others_hear() -> bool:
    """Whether the Channels layer reaches other processes."""
    found = get_channel_layer(conf().channel_layer)
    return found is not None and not isinstance(found, InMemoryChannelLayer)
