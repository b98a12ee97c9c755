"""Pages that show lists of runs."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from consumers.feeds.hub import Hub

from ..connections import Headers
from .listpage import Page


@pytest.fixture
async def pages(hub: Hub, settings: Any) -> AsyncIterator[Any]:
    # Nobody publishes here.
    settings.HEADWAY = {**getattr(settings, "HEADWAY", {}), "RECONCILE": 0.05}
    opened: list[Page] = []

    async def open_(headers: Headers = (), **query: Any) -> Page:
        page = await Page(headers, **query).open()
        opened.append(page)
        return page

    yield open_
    for page in opened:
        await page.leave()
    assert hub.lists.watchers == set()
