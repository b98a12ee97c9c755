"""A headless Chromium for the tests: the system's own, found on PATH or named by a variable."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

__all__ = ["Console", "launched"]

ARGUMENTS = (
    "--no-sandbox",  # containers run the suite as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@asynccontextmanager
async def launched(*, keeps_pages: bool = False) -> AsyncIterator[Browser]:
    """With *keeps_pages*, pages are kept for the way back to them, as browsers do."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if executable is None:
        raise RuntimeError("No chromium on PATH: install it, or name it in CHROMIUM.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable,
            args=list(ARGUMENTS),
            ignore_default_args=["--disable-back-forward-cache"] if keeps_pages else None,
        )
        try:
            yield browser
        finally:
            await browser.close()


# What Chromium says of a connection that breaks, and of one that is refused.
OUTAGE = re.compile(r"net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING)")


class Console:
    """What went wrong in a page: errors on its console, and exceptions nobody caught."""

    def __init__(self, page: Page) -> None:
        self.errors: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def forget_outage(self) -> None:
        """Drop what the browser writes by itself when a server is gone."""
        self.errors = [text for text in self.errors if not OUTAGE.search(text)]
