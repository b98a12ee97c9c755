"""What this process delivers, counted."""

from tasks.engine.metrics import counter, gauge

__all__ = ["events", "feeds", "size", "watchers"]

watchers = gauge("headway_watchers", "Open streams of events here", ["transport"])
feeds = gauge("headway_feeds", "Runs that are watched here")
events = counter("headway_events_delivered", "Events handed to watchers")
size = counter("headway_delivered_bytes", "Bytes of JSON of the events handed to watchers")
