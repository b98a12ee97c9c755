"""Sentinel: tells clients which server is the master of a service."""

import signal

import redis

from tests.services.redis import executable
from tests.services.service import Service

__all__ = ["Sentinel"]


class Sentinel(Service):
    """One Sentinel, of one service whose master listens on *port* of this machine."""

    name = "sentinel"
    stop_signal = signal.SIGTERM
    refusals = (redis.ConnectionError, redis.TimeoutError)
    service = "headway"

    def __init__(self, port: int) -> None:
        super().__init__()
        # It writes what it learns into its configuration.
        (self.folder / "configuration").write_text(
            f"bind 127.0.0.1\nport {self.port}\ndir {self.folder}\n"
            f"sentinel monitor {self.service} 127.0.0.1 {port} 1\n"
        )

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.port}/{self.service}/0"

    def command(self) -> list[str]:
        return [executable(), str(self.folder / "configuration"), "--sentinel"]

    def ask(self) -> None:
        with redis.Redis(port=self.port, socket_timeout=2.0) as client:
            client.ping()
