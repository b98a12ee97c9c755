"""What this process delivers, counted."""

from tasks.engine.metrics import counter, gauge

__all__ = ["connections", "events", "feeds", "refused", "size", "watchers"]

connections = gauge("headway_connections", "Event streams and WebSockets open here", ["transport"])
refused = counter("headway_refused", "Connections and clients over a limit", ["reason"])
watchers = gauge("headway_watchers", "Open streams of events here", ["transport"])
feeds = gauge("headway_feeds", "Runs that are watched here")
events = counter("headway_events_delivered", "Events handed to watchers")
size = counter("headway_delivered_bytes", "Bytes of JSON of the events handed to watchers")
