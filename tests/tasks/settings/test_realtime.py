"""What may be offered, and to which pages."""

from typing import Any

import pytest

from tasks.conf import conf, problems


@pytest.mark.parametrize(
    ("transport", "offered"),
    [
        ("sse", {"sse"}),
        ("channels", {"websocket"}),
        ("both", {"sse", "websocket"}),
        ("none", set()),
        (None, {"sse", "websocket"}),
    ],
)
def test_what_is_offered(settings: Any, transport: str | None, offered: set[str]) -> None:
    settings.HEADWAY = {"REALTIME": {"TRANSPORT": transport} if transport else {}}
    assert {name for name in ("sse", "websocket") if conf().offers(name)} == offered


@pytest.mark.parametrize(
    "value", ["sse", {"TRANSPORT": "websocket"}, {"TRANSPORT": None}, {"WAY": "sse"}, None, ["sse"]]
)
def test_a_bad_offer_is_named(value: object) -> None:
    assert "REALTIME" in problems({"REALTIME": value})[0]


@pytest.mark.parametrize(
    "value", ["https://a.example", "http://localhost:5173", "https://[::1]:8443", "capacitor://app"]
)
def test_origins(value: str) -> None:
    assert problems({"CORS_ORIGINS": [value]}) == []


@pytest.mark.parametrize(
    "value",
    [
        *("*", "https://*.example", "https://a.example/", "https://a.example/path", "a.example"),
        *("null", "", "https://", "https://a.example:99999", "https://u@a.example", 7),
        *("https://A.example", "https://a.example:x"),
    ],
)
def test_no_origin(value: object) -> None:
    """As a browser writes it, or it would never be met."""
    assert "CORS_ORIGINS" in problems({"CORS_ORIGINS": [value]})[0]


def test_not_one_origin_for_many() -> None:
    assert problems({"CORS_ORIGINS": "https://a.example"})
