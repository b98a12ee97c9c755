"""Liveness and readiness."""

import threading
from typing import Any, ClassVar

import pytest
from django.test import AsyncClient

from asgi_app.layers import layer
from consumers.views import probes
from consumers.views.health import report_readiness
from tasks.engine import store

pytestmark = pytest.mark.django_db(transaction=True)


async def test_live() -> None:
    response = await AsyncClient().get("/health/live")
    assert response.json() == {"status": "live"}


async def test_ready(no_reports: dict[str, Any]) -> None:
    report_readiness("hub", lambda: True)
    response = await AsyncClient().get("/health/ready")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": {"database": True, "hub": True},
        "degraded": [],
    }


def fails() -> bool:
    raise LookupError


@pytest.mark.parametrize("answer", [lambda: False, lambda: None, lambda: 1, fails])
async def test_not_ready(no_reports: dict[str, Any], answer: Any) -> None:
    report_readiness("hub", lambda: True)
    report_readiness("supervisor", answer)
    response = await AsyncClient().get("/health/ready")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": True, "hub": True, "supervisor": False}


async def test_a_later_report_replaces_the_first(no_reports: dict[str, Any]) -> None:
    report_readiness("hub", lambda: False)
    report_readiness("hub", lambda: True)
    assert (await AsyncClient().get("/health/ready")).status_code == 200


async def test_no_database(
    no_reports: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Connections:
        settings: ClassVar[Any] = {"default": {"HOST": "db", "PORT": 5432, "NAME": "shop"}}

        def close_all(self) -> None:
            pass

    def answers() -> bool:
        raise OSError("password=secret host=db")

    monkeypatch.setattr(probes, "connections", Connections())
    monkeypatch.setattr(store, "answers", answers)
    response = await AsyncClient().get("/health/ready")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": False}
    assert "'default' (db:5432/shop) cannot be reached: OSError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_database_that_hangs_hangs_nobody(
    no_reports: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, asked = threading.Event(), []

    def ask() -> str:
        asked.append("once")
        hanging.wait(10)
        return ""

    monkeypatch.setattr(probes, "PATIENCE", 0.05)
    monkeypatch.setattr(probes, "_ask", ask)
    try:
        found = [await AsyncClient().get("/health/ready") for _ in range(3)]
    finally:
        hanging.set()
    assert [response.status_code for response in found] == [503] * 3
    assert len(asked) == 1
    probes._database.cache_clear()


async def test_a_layer_that_is_down_is_named(no_reports: dict[str, Any], settings: Any) -> None:
    settings.CHANNEL_LAYERS = {"default": layer("redis://127.0.0.1:1")}
    response = await AsyncClient().get("/health/ready")
    assert response.status_code == 200
    assert response.json()["degraded"] == ["layer"]


async def test_head_and_nothing_else() -> None:
    assert (await AsyncClient().head("/health/live")).status_code == 200
    assert (await AsyncClient().post("/health/live")).status_code == 405


async def test_health_in_plain_text() -> None:
    answer = await AsyncClient().get("/health")
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert answer["Content-Type"] == "text/plain"
