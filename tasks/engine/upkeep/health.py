"""Whether what this process needs is there, seen from outside of it: for probes."""

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from channels.layers import channel_layers
from django.db import connections

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.claims.presence import this_host

__all__ = ["Finding", "examine"]

#: What is wrong, or nothing; raises as well.
Check = Callable[[], str]

_ECHO = 0.5  # seconds until a message of the layer is sent again: joining may have taken longer


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    ok: bool
    message: str


def examine(timeout: float, *, worker: bool = False) -> list[Finding]:
    """Make all checks; what has not answered in *timeout* seconds has failed."""
    of_database: list[tuple[str, Check]] = [("database", _database), ("migrations", _migrations)]
    if worker:
        of_database.append(("worker", _worker))
    groups = [_Group(of_database), _Group([("layer", _layer)])]
    deadline = time.monotonic() + timeout
    for group in groups:
        group.thread.join(max(0.0, deadline - time.monotonic()))
    return [found for group in groups for found in group.findings(timeout)]


class _Group:
    """Checks one after another, the first that fails being the last.

    In a daemon thread: a server that hangs must not hang who looks at it.
    """

    def __init__(self, checks: Sequence[tuple[str, Check]]) -> None:
        self._checks = checks
        self._done: list[Finding] = []
        self.thread = threading.Thread(target=self._run, name="headway-health", daemon=True)
        self.thread.start()

    def findings(self, timeout: float) -> Iterator[Finding]:
        done = list(self._done)
        yield from done
        message = "not looked at" if done and not done[-1].ok else f"no answer in {timeout:g} s"
        for name, _ in self._checks[len(done) :]:
            yield Finding(name, False, message)
            message = "not looked at"

    def _run(self) -> None:
        try:
            for name, check in self._checks:
                message = _call(check)
                self._done.append(Finding(name, not message, message))
                if message:
                    return
        finally:
            connections.close_all()


def _call(check: Check) -> str:
    try:
        return check()
    except Exception as error:
        # Its text may name a host or a user, which is what whoever runs a probe may see.
        return " ".join(f"{type(error).__name__}: {error}".split())


def _database() -> str:
    return "" if store.answers() else "it answers, but not with what was asked for"


def _migrations() -> str:
    missing = store.unapplied()
    return f"not applied: {', '.join(missing)}; run manage.py migrate" if missing else ""


def _worker() -> str:
    host = this_host()
    if any(worker.host == host for worker in store.live_workers(conf().lease)):
        return ""
    return f"no executing process of {host} was seen in the last {conf().lease:g} s"


def _layer() -> str:
    return asyncio.run(_round_trip())


async def _round_trip() -> str:
    alias = conf().channel_layer
    layer: Any = channel_layers[alias]
    if "groups" not in layer.extensions:
        return f"CHANNEL_LAYERS[{alias!r}] has no groups"
    channel, group = await layer.new_channel(), f"headway.health.{secrets.token_hex(8)}"
    await layer.group_add(group, channel)
    try:
        while True:
            await layer.group_send(group, {"type": "headway.health"})
            try:
                await asyncio.wait_for(layer.receive(channel), _ECHO)
            except TimeoutError:
                continue
            return ""
    finally:
        await layer.group_discard(group, channel)
