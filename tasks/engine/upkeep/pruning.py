"""Deleting what ``HEADWAY["RETENTION"]`` no longer keeps, at a pace that leaves room for others."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from django.db import connections

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.process.threadedchild import ThreadedChild
from tasks.engine.store import Due
from tasks.settings import retention
from tasks.settings.retention import Rule
from tasks.states import TERMINAL

__all__ = ["Pruner", "prune", "what_goes"]

logger = logging.getLogger("headway.retention")

_EVERY = 60.0  # seconds from round to round, of all processes together
_RUNS, _EVENTS = 200, 2_000  # in one transaction: on SQLite, claims wait for it
_SHARE = 0.1  # of the time is spent in transactions: claims hardly notice
_BREATH = 0.02  # seconds between two transactions at least


class Pruner(ThreadedChild):
    """Looks about every minute whether there is something to delete, and deletes it.

    It tries again after any failure: old runs are no reason for a process to end.
    """

    name = "retention"

    def watch(self, ending: threading.Event) -> None:
        wait = random.uniform(0.1, 1.0) * _EVERY
        while not ending.wait(wait):
            others = 1
            try:
                prune(retention.rules(conf().retention), ending.wait)
                others = len(store.live_workers(conf().lease))
            except Exception as error:
                logger.warning("Old runs cannot be deleted at the moment: %s", error)
            finally:
                connections.close_all()  # a minute is long for one that nobody uses
            wait = random.uniform(0.5, 1.5) * _EVERY * max(1, others)


def what_goes(rules: Sequence[Rule]) -> Iterator[list[Due]]:
    """What these rules no longer keep: a list for each queue and status."""
    if all(rule.keeps_all for rule in rules):
        return
    for queue in store.finished_queues():
        for status in sorted(TERMINAL):
            if rule := retention.choose(rules, queue, status):
                yield store.due(queue, status, days=rule.days, runs=rule.runs)


def prune(rules: Sequence[Rule], pause: Callable[[float], object]) -> int:
    """Delete it; how many runs went.

    *pause* is called between two transactions with the seconds to wait, and ends the round
    by returning something true.
    """
    total = 0
    for due in chain.from_iterable(what_goes(rules)):
        while True:
            began = time.monotonic()
            went = store.prune(due, runs=_RUNS, events=_EVENTS)
            total += went
            took = time.monotonic() - began
            if not went:
                break
            if pause(max(_BREATH, took * (1 / _SHARE - 1))):
                return total
    if total:
        logger.info("Deleted %d finished runs that are no longer kept", total)
    return total
