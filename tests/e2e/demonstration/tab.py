"""The demo as a visitor has it: tabs on its page, and what they have received."""

import json
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from asgi_app.demo import catalog
from tests.browser import Console
from tests.live import LiveServer

__all__ = ["BUNDLED", "Tab", "log_of", "progress_of", "stored_rows", "written_rows"]

#: The file that is imported where a visitor has none.
BUNDLED = catalog.BUNDLED.read_bytes().decode()

PATIENCE = 30_000  # milliseconds: the machine may be busy


class Tab:
    """A tab of the demo."""

    def __init__(self, page: Page, server: LiveServer) -> None:
        self.page = page
        self.server = server
        self.console = Console(page)
        page.set_default_timeout(PATIENCE)
        page.set_default_navigation_timeout(PATIENCE)

    async def open(self, path: str = "/", via: str = "sse") -> None:
        joint = "&" if "?" in path else "?"
        await self.page.goto(f"{self.server.url}{path}{joint}via={via}")

    async def start(self, button: str) -> str:
        """Press a start button; the id of the run that the address now names."""
        await self.page.get_by_role("button", name=button).click()
        await self.page.wait_for_url("**/?run=*")
        return self.run

    async def start_import(self, pace: int, file: Path | None = None) -> str:
        await self.page.get_by_label("Pace").select_option(str(pace))
        if file is not None:
            await self.page.get_by_label("Your own file").set_input_files(file)
        return await self.start("Start the import")

    @property
    def run(self) -> str:
        return self.page.url.partition("run=")[2].partition("&")[0]

    async def bar_between(self, low: float, high: float) -> None:
        """Wait until the bar stands above *low* and below *high*, as parts of the whole."""
        await self.page.wait_for_function(
            """([low, high]) => {
                const bar = document.querySelector("[role=progressbar]");
                const part = bar.ariaValueNow / bar.ariaValueMax;
                return !bar.hidden && part > low && part < high;
            }""",
            arg=[low, high],
        )

    async def state(self, state: str) -> None:
        await expect(self.page.locator("#run")).to_have_attribute(
            "data-state", state, timeout=PATIENCE
        )

    async def says(self, text: str) -> None:
        await expect(self.page.locator("main")).to_contain_text(text, timeout=PATIENCE)

    async def received(self) -> dict[str, str]:
        """The seqs in the order of their arrival ("1-9": 1, 2 … 9), and how many came twice."""
        data: dict[str, str] = await self.page.evaluate(
            "({...document.querySelector('#run').dataset})"
        )
        return {name: data[name] for name in ("seqs", "duplicates")}

    async def has_all_once(self) -> None:
        """Exactly what the log in the database has."""
        await self.state("ended")
        [[last]] = of_run(self.server, "last_seq FROM headway_run WHERE id = ?", self.run)
        received = await self.received()
        assert received == {"seqs": f"1-{last}", "duplicates": "0"}, (received, last)


def query(server: LiveServer, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Rows from the server's database."""
    rows: list[tuple[Any, ...]] = server.stack.rows(f"SELECT {sql}", parameters)
    return rows


def of_run(server: LiveServer, sql: str, run: str) -> list[tuple[Any, ...]]:
    """Rows of a run, whose id is the statement's parameter."""
    return query(server, sql, server.stack.key(run))


def stored_rows(server: LiveServer, run: str) -> list[Any]:
    """What a run has brought into the table."""
    [[args]] = of_run(server, "args FROM headway_run WHERE id = ?", run)
    columns = ", ".join(catalog.COLUMNS)
    table = f"number, {columns} FROM headway_demo_catalogrow WHERE source_id = ? ORDER BY number"
    rows = query(server, table, json.loads(args)[0])
    price = 1 + catalog.COLUMNS.index("price")
    # A decimal in one database and a float in the other.
    return [(*row[:price], float(row[price]), *row[price + 1 :]) for row in rows]


def written_rows(text: str) -> list[Any]:
    """What the file has, as the table shows it."""
    return [
        (number, *product._replace(price=float(product.price)))  # type: ignore[arg-type]
        for number, product in enumerate(catalog.read(text), 1)
    ]


def progress_of(server: LiveServer, run: str) -> tuple[list[int], list[int]]:
    """What each of two attempts said it had done, from the log."""
    sql = "type, data FROM headway_event WHERE run_id = ? ORDER BY seq"
    attempts: list[list[int]] = []
    for kind, data in of_run(server, sql, run):
        if kind == "started":
            attempts.append([])
        elif kind == "progress":
            attempts[-1].append(json.loads(data)["done"])
    first, second = attempts
    return first, second


def log_of(server: LiveServer, run: str) -> str:
    sql = "data FROM headway_event WHERE run_id = ? AND type = 'log'"
    [[data]] = of_run(server, sql, run)
    return str(json.loads(data)["message"])
