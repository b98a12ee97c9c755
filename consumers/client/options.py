"""What both clients tell httpx."""

from typing import Any

import httpx

__all__ = ["options", "patient"]

_CONNECT = 10.0  # seconds
_MISSED = 3  # heartbeats: then the connection counts as lost
_SILENCE = _MISSED * 15.0  # seconds


def options(base_url: str, token: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """Arguments of ``httpx.Client``; what is *given* counts."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return {
        "base_url": base_url,
        "timeout": httpx.Timeout(_CONNECT, read=_SILENCE),
        **given,
        "headers": headers | dict(given.get("headers", {})),
    }


def patient(timeout: httpx.Timeout, heartbeat: float | None) -> httpx.Timeout:
    """*timeout*, or longer, for a server that is silent for longer than most."""
    if not heartbeat or timeout.read is None or timeout.read >= _MISSED * heartbeat:
        return timeout
    return httpx.Timeout(
        connect=timeout.connect,
        read=_MISSED * heartbeat,
        write=timeout.write,
        pool=timeout.pool,
    )
