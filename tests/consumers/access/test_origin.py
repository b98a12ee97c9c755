"""Which pages may open a WebSocket."""

from typing import Any

import pytest

from consumers.access.origin import Page, page_in


def scope(host: str, origin: str | None, scheme: str = "ws") -> dict[str, Any]:
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    return {"type": "websocket", "path": "/", "scheme": scheme, "headers": headers}


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["example.org", "localhost", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example.com", "https://*.wild.example:8443"]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("example.org", None),  # no browser
        ("example.org", "https://example.org"),
        ("example.org", "http://example.org"),
        ("example.org:443", "https://example.org"),
        ("example.org", "https://EXAMPLE.org"),
        ("localhost:8000", "http://localhost:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("example.org", "https://app.example.com"),
        ("example.org", "https://app.example.com:443"),
        ("example.org", "https://a.wild.example:8443"),
        ("example.org", "https://a.b.wild.example:8443"),
    ],
)
def test_allowed(host: str, origin: str | None) -> None:
    assert page_in(scope(host, origin)) is Page.OWN


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("example.org", "https://evil.example"),
        ("example.org", "https://example.org.evil.example"),
        ("example.org", "https://evil.example/example.org"),
        ("example.org", "https://example.org@evil.example"),
        ("example.org", "https://sub.example.org"),
        ("example.org", "null"),  # a sandboxed frame
        ("example.org", ""),
        ("example.org", "example.org"),
        ("example.org", "file://example.org"),
        ("example.org", "chrome-extension://example.org"),
        ("example.org", "https://example.org:99999"),
        ("example.org", "https://[::1"),
        ("example.org", "\xff\xfe"),
        ("example.org", "http://app.example.com"),
        ("example.org", "https://app.example.com:8443"),
        ("example.org", "https://a.wild.example"),
        ("example.org", "https://wildxexample:8443"),
        ("localhost:8000", "http://localhost:9000"),
        ("evil.example", "https://evil.example"),  # DNS that leads here
        ("evil.example", None),
        ("", None),
    ],
)
def test_denied(host: str, origin: str | None) -> None:
    assert page_in(scope(host, origin)) is Page.FOREIGN


def test_any_host_is_not_any_origin(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert page_in(scope("example.org", "https://evil.example")) is Page.FOREIGN
    assert page_in(scope("anything", "http://anything")) is Page.OWN
