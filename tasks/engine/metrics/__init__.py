"""Figures for Prometheus: of this process as it works, of the whole when they are read.

::

    library      prometheus_client, or stand-ins that do nothing where it is not installed
    instruments  what the engine counts and measures
    process      what this process has under way, looked up when it is scraped
    whole        queues and workers of all processes, from the database
    exposition   all of it in the library's registry, and on a port of a process without HTTP

What is taken from here needs no model: it is imported before apps are ready.
"""

from tasks.engine.metrics.library import Counter, Gauge, available, counter, gauge, histogram

__all__ = ["Counter", "Gauge", "available", "counter", "gauge", "histogram"]
