"""Who may read the figures."""

from typing import Any

import pytest
from django.test import AsyncClient

from tasks.engine import metrics
from tests.consumers.conftest import Login

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "correct horse"


async def status(client: AsyncClient, authorization: str | None = None) -> int:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = await client.get("/metrics", headers=headers)
    return response.status_code


async def test_staff_reads_and_others_do_not(staff: Login, ann: Login) -> None:
    response = await staff.client.get("/metrics")
    assert response.status_code == 200
    assert b"headway_queue_latency_seconds" in response.content
    assert response.headers["Content-Type"].startswith("text/plain")
    assert response["Cache-Control"] == "no-store"
    assert await status(ann.client) == 401
    response = await AsyncClient().get("/metrics")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert response.json()["error"]["code"] == "not_authenticated"


async def test_a_token_opens(settings: Any) -> None:
    settings.HEADWAY = {"METRICS_TOKEN": TOKEN}
    client = AsyncClient()
    assert await status(client, f"Bearer {TOKEN}") == 200
    for wrong in (None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"):
        assert await status(client, wrong) == 401, wrong


async def test_without_a_token_in_the_settings_none_opens() -> None:
    for given in ("Bearer", "Bearer ", "Bearer None"):
        assert await status(AsyncClient(), given) == 401


async def test_openmetrics_for_who_prefers_it(staff: Login) -> None:
    accept = {"Accept": "application/openmetrics-text"}
    response = await staff.client.get("/metrics", headers=accept)
    assert response["Content-Type"].startswith("application/openmetrics-text")
    assert response.content.endswith(b"# EOF\n")


async def test_without_the_library(staff: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "available", False)
    response = await staff.client.get("/metrics")
    assert response.status_code == 501
    assert "django-headway[metrics]" in response.json()["error"]["message"]
