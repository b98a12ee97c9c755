"""What the client process is asked for, and what it answers."""

from dataclasses import dataclass

__all__ = ["Report", "Spec"]


@dataclass(frozen=True)
class Spec:
    """Who is to watch what."""

    port: int
    path: str
    websocket: bool
    clients: int
    last: int  # seq of the run's last event
    resume: bool = False  # reconnect after the last seq when cut off, as a browser does
    latencies: bool = False
    patience: float = 15.0  # seconds without any event until the rest counts as lost


@dataclass(frozen=True)
class Report:
    received: int  # events, by all clients together
    wrong: list[str]  # what was not 1, 2, 3 … once each, to the last one and no further
    began: float  # Unix time before the first connect
    ended: float  # Unix time of the last event
    cpu: float  # seconds, since all were ready
    resumed: int = 0  # connections that were cut off and made again
    p50: float = 0.0  # seconds from an event's time stamp to its arrival
    p99: float = 0.0
