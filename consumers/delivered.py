"""What this process delivers, counted."""

import asyncio
import time

from tasks.engine.metrics import counter, gauge, histogram

__all__ = [
    "buffered",
    "connections",
    "events",
    "feeds",
    "flushing",
    "gaps",
    "lists",
    "refused",
    "replays",
    "size",
    "slow",
    "watchers",
]

_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)  # seconds

connections = gauge("headway_connections", "Event streams and WebSockets open here", ["transport"])
refused = counter("headway_refused", "Connections and clients over a limit", ["reason"])
watchers = gauge("headway_watchers", "Open streams of events here", ["transport"])
feeds = gauge("headway_feeds", "Runs that are watched here")
lists = gauge("headway_lists", "Lists of runs that are watched here")
events = counter("headway_events_delivered", "Events handed to watchers")
size = counter("headway_delivered_bytes", "Bytes of JSON of the events handed to watchers")
latency = histogram(
    "headway_publish_to_flush_seconds",
    "From a message's way into the layer until watchers here had it, by both machines' clocks",
    _SHORT,
)
gaps = counter("headway_gaps_repaired", "Feeds that found in the log what they had not heard")
replays = counter("headway_replays", "Pages of the log read for watchers")
slow = counter("headway_slow_closes", "Readers cut off since they took nothing", ["transport"])
buffered = gauge("headway_buffered_bytes", "Bytes kept for watchers at this moment", ["where"])


def flushing(at: int) -> None:
    """A message sent at *at* (microseconds since 1970) has just been given to its feeds.

    Who writes news while it waits, or is woken, does so in this turn of the loop, before this.
    """
    if at:
        asyncio.get_running_loop().call_soon(_flushed, at)


def _flushed(at: int) -> None:
    latency.observe(max(0.0, time.time() - at / 1e6))
