"""A network namespace of Linux, joined to this one by a cable that can be pulled. Needs root."""

import secrets
import subprocess
from types import TracebackType
from typing import Self

__all__ = ["Namespace"]


class Namespace:
    """Exists inside its block. :attr:`host` is this side's address, as seen from there."""

    def __init__(self) -> None:
        self.name = f"hw{secrets.token_hex(3)}"
        self._here = f"{self.name}h"
        subnet = secrets.randbelow(250)
        self.host = f"10.213.{subnet}.1"
        self._there = f"10.213.{subnet}.2"

    def command(self, arguments: list[str]) -> list[str]:
        """*arguments*, to be executed inside."""
        return ["ip", "netns", "exec", self.name, *arguments]

    def cut(self) -> None:
        """From here on packets vanish, in both directions and without a word."""
        _ip("link", "set", self._here, "down")

    def mend(self) -> None:
        _ip("link", "set", self._here, "up")

    def __enter__(self) -> Self:
        inside = ("-n", self.name)
        _ip("netns", "add", self.name)
        _ip("link", "add", self._here, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _ip("addr", "add", f"{self.host}/24", "dev", self._here)
        _ip(*inside, "addr", "add", f"{self._there}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            _ip(*inside, "link", "set", link, "up")
        self.mend()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _ip("netns", "del", self.name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
