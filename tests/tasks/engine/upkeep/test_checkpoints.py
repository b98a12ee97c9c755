"""SQLite: what is committed gets from its log into its file without a commit having to do it."""

import asyncio
import secrets

import pytest
from django.db import connection

from tasks.engine.process.children import keep_running
from tasks.engine.upkeep import checkpoints as upkeep
from tasks.engine.upkeep.checkpoints import checkpoints
from tests.app import tasks as app
from tests.tasks.runs import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_EVERY", 0.01)


async def in_file(text: str) -> bool:
    # Not read here: a process that closes a file loses the locks that SQLite has on it.
    path = connection.settings_dict["NAME"]
    grep = await asyncio.create_subprocess_exec("grep", "--quiet", "--text", text, path)
    return await grep.wait() == 0


@pytest.mark.embedded
async def test_what_is_committed_gets_into_the_file() -> None:
    (child,) = checkpoints()
    before, after = secrets.token_hex(), secrets.token_hex()
    await app.echo.aenqueue(before)
    assert not await in_file(before)
    serving = asyncio.create_task(keep_running(child))
    try:
        await until(lambda: in_file(before))
        await app.echo.aenqueue(after)
        await until(lambda: in_file(after))
    finally:
        serving.cancel()
        await asyncio.wait({serving})


async def test_other_databases_do_it_themselves() -> None:
    assert bool(checkpoints()) == (connection.vendor == "sqlite")
