"""A tab that watches one run with the browser client, and keeps the list of what it heard."""

import json
from typing import Any
from urllib.parse import urlencode

from playwright.async_api import BrowserContext, Page

from tests.browser import Console
from tests.ledger import Ledger
from tests.live import LiveServer

__all__ = ["Reader"]

PATIENCE = 50_000  # milliseconds: the machine may be busy


class Reader:
    """A tab on the page of the suite's service."""

    def __init__(self, page: Page, server: LiveServer, run: str) -> None:
        self.page = page
        self.server = server
        self.run = run
        self.console = Console(page)
        page.set_default_timeout(PATIENCE)
        page.set_default_navigation_timeout(PATIENCE)

    @classmethod
    async def open(
        cls, context: BrowserContext, server: LiveServer, run: str, **options: Any
    ) -> "Reader":
        reader = cls(await context.new_page(), server, run)
        query = urlencode({"run": run, "options": json.dumps(options)})
        await reader.page.goto(f"{server.url}/suite/page/?{query}")
        return reader

    async def until(self, condition: str) -> None:
        """Wait for something to become true of ``run``, the watch, and ``seen``."""
        await self.page.wait_for_function(f"window.run && ({condition})")

    async def reaches(self, seq: int) -> None:
        await self.until(f"run.seq >= {seq}")

    async def seen(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.page.evaluate(
            "({ ...seen, role: run.role, transport: run.transport, duplicates: run.duplicates })"
        )
        return found

    async def has_all_once(self, ledger: Ledger) -> None:
        """To the end, exactly what the log in the database has, and nothing went wrong."""
        await self.until("run.state === 'ended'")
        seen = await self.seen()
        assert seen["seqs"] == list(range(1, ledger.run(self.run).last_seq + 1))
        assert seen["duplicates"] == 0
        assert self.console.errors == []
