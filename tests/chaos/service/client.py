"""Asking a live server for runs of this service, and how it is."""

from statistics import median_low
from typing import Any, NamedTuple, Protocol

import httpx

__all__ = ["State", "enqueue", "enqueue_many", "state", "usual"]


class Site(Protocol):
    """A server, or a proxy before some."""

    @property
    def url(self) -> str: ...


class State(NamedTuple):
    """What is alive in a process."""

    tasks: int
    threads: int
    feeds: int
    bundles: int
    groups: int
    streams: int
    watchers: int


def enqueue_many(server: Site, task: str, *calls: tuple[Any, ...]) -> list[str]:
    """Store a run of the service's *task* for each call; their ids."""
    body = {"task": task, "calls": calls}
    answer = httpx.post(f"{server.url}/suite/enqueue/", json=body, timeout=30)
    ids: list[str] = answer.raise_for_status().json()
    return ids


def enqueue(server: Site, task: str, *args: Any) -> str:
    (run_id,) = enqueue_many(server, task, args)
    return run_id


def state(server: Site) -> State:
    answer = httpx.get(f"{server.url}/suite/state/", timeout=30)
    return State(**answer.raise_for_status().json())


def usual(server: Site) -> State:
    """With the usual number of tasks: one that begins or ends just now is one more or one less."""
    several = [state(server) for _ in range(11)]
    return several[-1]._replace(tasks=median_low(each.tasks for each in several))
