"""Liveness and readiness."""

from typing import Any

import pytest
from django.test import AsyncClient

from consumers import health
from consumers.health import report_readiness

pytestmark = pytest.mark.django_db(transaction=True)


async def test_live() -> None:
    response = await AsyncClient().get("/health/live")
    assert response.json() == {"status": "live"}


async def test_ready(no_reports: dict[str, Any]) -> None:
    report_readiness("hub", lambda: True)
    response = await AsyncClient().get("/health/ready")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "checks": {"database": True, "hub": True}}


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
    class Connection:
        def ensure_connection(self) -> None:
            raise OSError("password=secret host=db")

    monkeypatch.setattr(health, "connections", {"default": Connection()})
    response = await AsyncClient().get("/health/ready")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": False}
    assert "secret" not in caplog.text


async def test_head_and_nothing_else() -> None:
    assert (await AsyncClient().head("/health/live")).status_code == 200
    assert (await AsyncClient().post("/health/live")).status_code == 405
