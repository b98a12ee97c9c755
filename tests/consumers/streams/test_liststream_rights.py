"""Who sees which runs on a list."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from consumers.feeds.hub import Hub
from tasks.models import TaskRun
from tests.app import tasks as app

from ..conftest import Login
from ..connections import HttpStream
from .listpage import PATH, end, enqueue


async def test_by_default_everybody_sees_their_own(pages: Any, ann: Login, staff: Login) -> None:
    hers = await enqueue(app.add.using(user=ann.user))
    nobodys = await enqueue()
    page, all_ = await pages([ann.cookie]), await pages([staff.cookie])
    assert list(await page.whole()) == [hers.id]
    assert set(await all_.whole()) == {hers.id, nobodys.id}
    await end(nobodys)
    await end(hers)
    await page.whole()
    assert page.listing.statuses == {hers.id: "CANCELLED"}
    assert page.listing.order == [hers.id, hers.id]


async def test_without_a_login_there_is_no_list(hub: Hub) -> None:
    stream = await HttpStream(PATH).open()
    assert (stream.status, stream.json["error"]["code"]) == (401, "not_authenticated")


def _shops(kind: str) -> Any:
    def sync(user: Any, run: TaskRun, action: str) -> bool:
        if run.kwargs.get("b") == 13:
            raise RuntimeError("told to")
        return bool(run.kwargs.get("b") == 1)

    async def async_(user: Any, run: TaskRun, action: str) -> bool:
        await asyncio.sleep(0)  # it is a rule that really waits
        return sync(user, run, action)

    return {"sync": sync, "async": async_}[kind]


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_authz_is_asked_for_each_run(
    hub: Hub, pages: Any, settings: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings.HEADWAY |= {"AUTHZ": _shops(kind)}
    make = sync_to_async(lambda b: app.add.enqueue(1, b=b))
    yes, no, fails = await make(1), await make(2), await make(13)
    page = await pages()
    assert list(await page.whole()) == [yes.id]
    for handle in (no, fails, yes):
        await end(handle)
    await page.whole()
    assert set(page.listing.order) == {yes.id}
    assert "AUTHZ failed" in caplog.text


async def test_authz_may_leave_out_runs_by_query(hub: Hub, pages: Any, settings: Any) -> None:
    asked: list[str] = []

    def rule(user: Any, run: TaskRun, action: str) -> bool:
        asked.append(str(run.pk))
        return True

    rule.narrow = lambda user, runs: runs.filter(queue_name="mail")  # type: ignore[attr-defined]
    settings.HEADWAY |= {"AUTHZ": rule}
    mail, _ = await enqueue(app.add.using(queue_name="mail")), await enqueue()
    page = await pages()
    assert list(await page.whole()) == [mail.id]
    assert asked == [mail.id]
