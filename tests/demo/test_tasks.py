"""The demo's tasks under the real engine: what they leave behind, and how they go on."""

from collections.abc import AsyncIterator, Iterable, Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest
from asgiref.sync import sync_to_async

from asgi_app.demo import catalog, story, tasks
from asgi_app.demo.models import CatalogImport, CatalogRow
from tasks import SyncContext
from tasks.codec import decode
from tasks.exceptions import TaskFailed
from tasks.handles import Handle
from tasks.models import TaskEvent
from tasks.testing import running_supervisor

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")


@pytest.fixture
async def supervisor(settings: Any) -> AsyncIterator[None]:
    settings.HEADWAY = {"BACKOFF": 0.01}
    async with running_supervisor():
        yield


def text_of(rows: int) -> str:
    lines = (f"S-{n},Mug {n},Kitchen,{n}.50,{n},\n" for n in range(1, rows + 1))
    return ",".join(catalog.COLUMNS) + "\n" + "".join(lines)


async def upload(text: str) -> CatalogImport:
    return await CatalogImport.objects.acreate(name="test.csv", text=text)


@sync_to_async
def rows_of(source: CatalogImport) -> list[tuple[Any, ...]]:
    return list(source.rows.values_list("number", *catalog.COLUMNS))


@sync_to_async
def rows_in(text: str) -> list[tuple[Any, ...]]:
    return [(number, *product) for number, product in enumerate(catalog.read(text), 1)]


async def data_of(handle: Handle, kind: str) -> list[Any]:
    events = TaskEvent.objects.filter(run=handle.run_id, type=kind).order_by("seq")
    return [decode(event.data) async for event in events]


# The import


async def test_the_bundled_catalogue(supervisor: None) -> None:
    source = await upload("")
    handle = await tasks.import_catalog.aenqueue(source.pk)
    result = await handle.await_result(50)
    text = catalog.BUNDLED.read_bytes().decode()
    assert await rows_of(source) == await rows_in(text)
    assert result == {"rows": 12_000, "import": source.pk}
    progress = await data_of(handle, "progress")
    assert [progress[0]["done"], progress[-1]["done"]] == [0, 12_000]
    assert all(data["total"] == 12_000 for data in progress)
    assert len(progress) > 2


@pytest.mark.parametrize("rows", [1, tasks.BATCH - 1, tasks.BATCH, tasks.BATCH + 1])
async def test_an_upload(supervisor: None, rows: int) -> None:
    source, text = await upload(text_of(rows)), text_of(rows)
    handle = await tasks.import_catalog.aenqueue(source.pk)
    assert (await handle.await_result(20))["rows"] == rows
    assert await rows_of(source) == await rows_in(text)


async def test_a_later_attempt_goes_on_behind_the_rows_that_are_there(supervisor: None) -> None:
    text = text_of(600)
    source = await upload(text)
    await upload(text)  # another import's rows are not counted
    there = [CatalogRow(source=source, number=n, **fields(text, n)) for n in range(1, 251)]
    await CatalogRow.objects.abulk_create(there)
    handle = await tasks.import_catalog.aenqueue(source.pk)
    await handle.await_result(20)
    assert await rows_of(source) == await rows_in(text)
    [line] = await data_of(handle, "log")
    assert line["message"].startswith("250 rows")


@pytest.mark.parametrize("bad", ["S-3,Mug,Kitchen,abc,1,\n", "S-3,Mug\n"])
async def test_a_wrong_row_fails_the_run_before_any_row_is_stored(
    supervisor: None, bad: str
) -> None:
    source = await upload(text_of(2) + bad)
    handle = await tasks.import_catalog.aenqueue(source.pk)
    with pytest.raises(TaskFailed, match="Line 4"):
        await handle.await_result(20)
    assert await rows_of(source) == []
    assert len(handle.errors) == 1


def fields(text: str, number: int) -> dict[str, Any]:
    return catalog.read(text)[number - 1]._asdict()


class Alone:
    """Stands in for the context of an attempt; calls *meanwhile* before item *at*."""

    def __init__(self, *, stopped: bool = False) -> None:
        self.cancel_requested = stopped
        self.meanwhile: dict[int, Any] = {}

    def track(self, iterable: Iterable[T], **_: object) -> Iterator[T]:
        for number, item in enumerate(iterable, 1):
            if number in self.meanwhile:
                self.meanwhile[number]()
            yield item

    def context(self) -> SyncContext:
        return cast(SyncContext, self)


def test_a_stop_is_heard_after_a_batch() -> None:
    source = CatalogImport.objects.create(name="test.csv", text=text_of(1000))
    tasks.import_catalog(Alone(stopped=True).context(), source.pk)
    assert source.rows.count() == tasks.BATCH


def test_rows_from_a_process_that_was_given_up_do_no_harm() -> None:
    source = CatalogImport.objects.create(name="test.csv", text=text_of(300))

    def late() -> None:
        CatalogRow.objects.create(source=source, number=200, **fields(source.text, 200))

    alone = Alone()
    alone.meanwhile[100] = late
    tasks.import_catalog(alone.context(), source.pk)
    numbers = source.rows.values_list("number", "price")
    assert list(numbers) == [(n, Decimal(f"{n}.50")) for n in range(1, 301)]


# The story and the countdown


async def test_the_tokens_are_the_story(supervisor: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "TOKEN_PAUSE", 0)
    handle = await tasks.tell_story.aenqueue()
    assert await handle.await_result(20) == {"tokens": len(story.tokens())}
    told = "".join(data["text"] for data in await data_of(handle, "token"))
    assert told.startswith("There was once a lighthouse")
    assert told == (catalog.BUNDLED.parent / "story.txt").read_text(encoding="utf-8")


async def test_a_story_that_was_cut_goes_on_with_the_next_token(
    supervisor: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    unspeakable = object()
    tellings = iter([("Once ", "upon ", unspeakable), ("Once ", "upon ", "a time")])
    monkeypatch.setattr(story, "tokens", lambda: next(tellings))
    handle = await tasks.tell_story.aenqueue()
    await handle.await_result(20)
    assert [data["text"] for data in await data_of(handle, "token")] == ["Once ", "upon ", "a time"]


class Seconds:
    """Seconds that take no time; the first attempt ends within the third."""

    def __init__(self) -> None:
        self.passed = 0

    async def sleep(self, _: float) -> None:
        self.passed += 1
        if self.passed == 3:
            raise RuntimeError("cut off")


async def test_a_countdown_that_was_cut_goes_on_where_it_was(
    supervisor: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "asyncio", SimpleNamespace(sleep=Seconds().sleep))
    handle = await tasks.countdown.aenqueue(5)
    assert await handle.await_result(20) == "Lift-off"
    assert [data["done"] for data in await data_of(handle, "progress")] == [0, 1, 2, 2, 3, 4, 5]
    [line] = await data_of(handle, "log")
    assert line["message"] == "Attempt 2 goes on at 2 of 5 seconds."
