"""What both clients tell httpx."""

from typing import Any

import httpx

__all__ = ["options"]

_CONNECT = 10.0  # seconds
_SILENCE = 45.0  # seconds: three heartbeats, then the connection counts as lost


def options(base_url: str, token: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """Arguments of ``httpx.Client``; what is *given* counts."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return {
        "base_url": base_url,
        "timeout": httpx.Timeout(_CONNECT, read=_SILENCE),
        **given,
        "headers": headers | dict(given.get("headers", {})),
    }
