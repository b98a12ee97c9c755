"""How a process learns at once that another has enqueued a run.

A waker is a child of the supervisor; each way has a file of its own. Whatever they miss,
the claimer's polling finds: wakers are only latency.

======================= =======================================================
:mod:`.data_version`    SQLite: the file says that someone else has committed
:mod:`.notifications`   PostgreSQL without Redis: LISTEN and NOTIFY
:mod:`.layer`           any Channels layer that other processes hear
======================= =======================================================
"""

from collections.abc import Callable

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import connections

from tasks.conf import conf
from tasks.engine.children import Child
from tasks.engine.wakers import data_version, layer, notifications

__all__ = ["announce", "commits", "wakers"]


def wakers(wake: Callable[[], None]) -> list[Child]:
    """The children that call *wake*, on the loop, when another process has enqueued."""
    vendor = connections[conf().database].vendor
    found: list[Child] = []
    if vendor == "sqlite":
        found.append(Child("waker: data_version", data_version.Waker(wake).serve))
    if _others_hear():
        found.append(Child("waker: layer", layer.Waker(wake).serve))
    elif vendor == "postgresql":
        found.append(Child("waker: notifications", notifications.Waker(wake).serve))
    return found


def commits(look: Callable[[], None]) -> list[Child]:
    """The children that call *look*, on the loop, when another process may have written
    events of which no layer tells: several processes on one SQLite file.
    """
    if connections[conf().database].vendor != "sqlite" or _others_hear():
        return []
    return [Child("waker: commits", data_version.Waker(look).serve)]


def announce() -> None:
    """Tell other processes that a run was enqueued. Any thread, after the commit."""
    if _others_hear():
        layer.announce()
    elif connections[conf().database].vendor == "postgresql":
        notifications.announce()


def _others_hear() -> bool:
    found = get_channel_layer(conf().channel_layer)
    return found is not None and not isinstance(found, InMemoryChannelLayer)
