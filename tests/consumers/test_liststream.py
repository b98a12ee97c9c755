"""Lists of runs as event streams, through Django and over the suite's database."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from asgiref.sync import sync_to_async

from consumers.feeds import storedruns
from consumers.feeds.hub import Hub
from tasks.engine import store
from tasks.engine.attempts.endings import cancelled_while_waiting
from tasks.handles import Handle
from tasks.models import TaskRun
from tasks.states import CancelRequest
from tests.app import tasks as app
from tests.listing import Listing
from tests.tasks.runs import claim_one

from .conftest import Login
from .loops import settle
from .streams import Headers, HttpStream

PATH = "/tasks/feed/"

enqueue = sync_to_async(lambda task=app.add, *args: task.enqueue(*(args or (1,))))


@sync_to_async
def end(handle: Handle) -> None:
    """A state of it that is its last."""
    store.cancel(handle.run_id, CancelRequest.STOP, cancelled_while_waiting)


class Page:
    """A page with a list; it may connect again with what it has."""

    def __init__(self, headers: Headers = (), **query: Any) -> None:
        self.listing = Listing()
        self._headers = list(headers)
        self._query = urlencode(query, doseq=True)
        self.stream: HttpStream

    async def open(self) -> "Page":
        headers = list(self._headers)
        if self.listing.after is not None:
            headers.append((b"last-event-id", self.listing.after.encode()))
        self.stream = await HttpStream(PATH, self._query, headers).open()
        assert self.stream.status == 200, self.stream.content
        return self

    async def whole(self) -> dict[str, dict[str, Any]]:
        """Read until there is an id that there was not before."""
        before = self.listing.after
        while self.listing.after in (None, before):
            self.listing.take((await self.stream.chunk()).decode())
        return self.listing.known

    async def leave(self) -> None:
        await self.stream.disconnect()
        self.listing.cut()


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


@pytest.mark.usefixtures("anyone")
class TestForAnyone:
    async def test_what_there_is_and_what_changes(self, pages: Any) -> None:
        one, two = await enqueue(), await enqueue()
        page = await pages()
        known = await page.whole()
        assert page.listing.begun == [True]
        assert page.listing.order == [two.id, one.id]
        assert known[one.id]["status"] == "READY"
        assert known[one.id].keys().isdisjoint({"args", "return_value", "progress", "links"})
        await end(one)
        assert (await page.whole())[one.id]["status"] == "CANCELLED"
        assert known[one.id]["error"]["message"]
        three = await enqueue()
        assert (await page.whole())[three.id]["status"] == "READY"
        assert page.listing.order == [two.id, one.id, one.id, three.id]

    async def test_an_empty_list_has_a_place_too(self, pages: Any) -> None:
        page = await pages()
        assert await page.whole() == {}
        await page.leave()
        one = await enqueue()
        await page.open()
        assert list(await page.whole()) == [one.id]
        assert page.listing.begun == [True, False]

    async def test_who_comes_back_gets_what_changed_meanwhile_once(self, pages: Any) -> None:
        one, two, three = await enqueue(), await enqueue(), await enqueue()
        page = await pages()
        await page.whole()
        await page.leave()
        claim = await sync_to_async(claim_one)()
        assert claim.run_id == one.run_id
        await end(two)
        four = await enqueue()
        page.listing.order.clear()
        await page.open()
        await page.whole()
        assert page.listing.order == [one.id, two.id, four.id]
        assert page.listing.statuses == {
            one.id: "RUNNING",
            two.id: "CANCELLED",
            three.id: "READY",
            four.id: "READY",
        }

    async def test_the_cursor_in_the_query(self, pages: Any) -> None:
        page = await pages()
        await page.whole()
        one = await enqueue()
        other = await pages(after=page.listing.after)
        assert list(await other.whole()) == [one.id]

    async def test_a_list_begins_with_the_newest(self, pages: Any) -> None:
        handles = [await enqueue() for _ in range(5)]
        page = await pages(limit=2)
        assert list(await page.whole()) == [handles[4].id, handles[3].id]
        await end(handles[0])
        assert (await page.whole())[handles[0].id]["status"] == "CANCELLED"
        none = await pages(limit=0)
        assert await none.whole() == {}

    async def test_filters(self, pages: Any) -> None:
        mail = app.add.using(queue_name="mail", metadata={"shop": 7})
        one, two = await enqueue(mail), await enqueue(app.emit)
        by_queue = await pages(queue="mail")
        by_task = await pages(task=[app.emit.module_path, "no.such.task"])
        by_meta = await pages(**{"meta.shop": "7"})
        by_status = await pages(status="CANCELLED")
        assert list(await by_queue.whole()) == [one.id]
        assert list(await by_task.whole()) == [two.id]
        assert list(await by_meta.whole()) == [one.id]
        assert await by_status.whole() == {}
        await end(two)
        await by_task.whole()
        assert by_task.listing.statuses == {two.id: "CANCELLED"}
        await by_status.whole()
        assert by_status.listing.statuses == {two.id: "CANCELLED"}
        three = await enqueue(mail)
        await by_queue.whole()
        assert set(by_queue.listing.known) == {one.id, three.id}
        assert by_queue.listing.order.count(two.id) == 0

    async def test_a_run_that_leaves_a_list_says_so(self, pages: Any) -> None:
        one, two = await enqueue(), await enqueue()
        waiting = await pages(status="READY")
        running = await pages(status="RUNNING")
        assert set(await waiting.whole()) == {one.id, two.id}
        assert await running.whole() == {}
        assert (await sync_to_async(claim_one)()).run_id == one.run_id
        await waiting.whole()
        assert waiting.listing.statuses == {one.id: "RUNNING", two.id: "READY"}
        await running.whole()
        assert running.listing.statuses == {one.id: "RUNNING"}

    async def test_too_many_changes_for_one_look(
        self, pages: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(storedruns, "LOOKED_AT", 3)
        page = await pages(limit=500)
        await page.whole()
        many = await sync_to_async(app.add.enqueue_many)([((n,), {}) for n in range(250)])
        while len(page.listing.known) < 250:
            await page.whole()
        assert set(page.listing.known) == {handle.id for handle in many}
        assert page.listing.begun == [True]

    async def test_a_cursor_of_another_database_begins_anew(self, pages: Any) -> None:
        page = await pages()
        await page.whole()
        one = await enqueue()
        mark = page.listing.after.split(".")[0]
        page.listing.after = f"{mark}.{2**62}"
        await page.leave()
        await page.open()
        assert list(await page.whole()) == [one.id]
        assert page.listing.begun == [True, True]

    @pytest.mark.parametrize(
        "query",
        [
            "status=DONE",
            "limit=-1",
            "limit=501",
            "limit=x",
            "meta.=1",
            "meta.a%20b=1",
            "queue=%00",
            "&".join(f"queue={n}" for n in range(21)),
        ],
    )
    async def test_a_bad_request(self, hub: Hub, query: str) -> None:
        stream = await HttpStream(PATH, query).open()
        assert (stream.status, stream.json["error"]["code"]) == (400, "bad_request")
        assert hub.lists.watchers == set()

    @pytest.mark.parametrize("after", ["", "7", "latest", "AAAAAAAA.1", "A" * 9000, "\xff"])
    async def test_a_bad_cursor(self, hub: Hub, after: str) -> None:
        stream = await HttpStream(PATH, f"after={quote(after)}").open()
        assert (stream.status, stream.json["error"]["code"]) == (400, "bad_cursor")

    async def test_a_cursor_of_another_list(self, pages: Any) -> None:
        page = await pages()
        await page.whole()
        stream = await HttpStream(PATH, f"queue=mail&after={page.listing.after}").open()
        assert (stream.status, stream.json["error"]["code"]) == (400, "bad_cursor")

    async def test_a_heartbeat_tells_where_the_list_is(self, hub: Hub, pages: Any) -> None:
        page = await pages(queue="mail")
        await page.whole()
        await enqueue()  # of another queue: nothing is said
        seen = hub.lists.number
        while hub.lists.number < seen + 2:
            hub.lists.hear()
            await asyncio.sleep(0.01)  # a look is the database's
        await settle()
        hub.lists.beat(0)
        chunk = (await page.stream.chunk()).decode()
        assert chunk.startswith(": heartbeat\n\nid: ")
        before = page.listing.after
        page.listing.take(chunk)
        assert page.listing.after != before

    async def test_going_away(self, hub: Hub, pages: Any) -> None:
        page = await pages()
        await page.whole()
        hub.close()
        assert (await page.stream.body()).startswith(b"retry: ")

    async def test_nobody_looks_where_nobody_watches(self, hub: Hub, pages: Any) -> None:
        assert hub.lists.groups == frozenset()
        page = await pages()
        await page.whole()
        assert hub.lists.groups
        before = asyncio.all_tasks()
        others = [await pages() for _ in range(5)]
        for other in others:
            await other.whole()
            await other.leave()
        assert len(asyncio.all_tasks()) <= len(before)
        await page.leave()
        assert hub.lists.groups == frozenset()


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
