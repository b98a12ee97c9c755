"""A serving hub on the test's loop, and clients with and without a login."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from consumers.feeds.hub import Hub, get_hub
from consumers.views import health


@pytest.fixture
async def hub(transactional_db: None) -> AsyncIterator[Hub]:
    """The process's hub, over the suite's database and in-memory layer."""
    get_hub.cache_clear()
    hub = get_hub()
    serving = asyncio.create_task(hub.serve())
    await hub.ready.wait()
    yield hub
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    get_hub.cache_clear()


@pytest.fixture
def anyone(settings: Any) -> None:
    """AUTHZ that allows everybody everything."""
    settings.HEADWAY = {"AUTHZ": lambda user, run, action: True}


@pytest.fixture
def no_reports(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An empty registry of readiness."""
    reports: dict[str, Any] = {}
    monkeypatch.setattr(health, "_reports", reports)
    return reports


class Login:
    """A user and what their browser sends."""

    def __init__(self, user: Any, client: AsyncClient) -> None:
        self.user = user
        self.client = client

    @property
    def cookie(self) -> tuple[bytes, bytes]:
        return b"cookie", f"sessionid={self.client.cookies['sessionid'].value}".encode()


async def _login(name: str, **fields: Any) -> Login:
    user = await sync_to_async(get_user_model().objects.create_user)(username=name, **fields)
    client = AsyncClient()
    await client.aforce_login(user)
    return Login(user, client)


@pytest.fixture
async def ann(transactional_db: None) -> Login:
    return await _login("ann")


@pytest.fixture
async def bob(transactional_db: None) -> Login:
    return await _login("bob")


@pytest.fixture
async def staff(transactional_db: None) -> Login:
    return await _login("staff", is_staff=True)


RECHECK = 0.02  # seconds


@pytest.fixture
def often(settings: Any) -> None:
    """Rights are asked for again all the time."""
    settings.HEADWAY = {"RECHECK": RECHECK}
