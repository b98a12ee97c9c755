"""Asking a live server for runs of this service, and how it is."""

from typing import Any, NamedTuple, Protocol

import httpx

__all__ = ["State", "enqueue", "enqueue_many", "state"]


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
