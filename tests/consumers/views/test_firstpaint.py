"""What a page shows of a run before anything is connected, and how it goes on from there."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.template import Context, Template
from django.utils import translation

from consumers.feeds.hub import Hub
from tasks.codec import encode
from tasks.exceptions import MalformedRunId, RunDoesNotExist
from tasks.handles import Handle
from tasks.models import TaskEvent, TaskRun
from tasks.states import RunStatus
from tests.app import tasks as app

from ..connections import HttpStream, events_path
from ..fakes import seqs
from ..rows import emit, stored


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: dict[str, dict[str, str | None]] = {}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] = dict(attrs)

    def handle_data(self, data: str) -> None:
        self.text = re.sub(r"\s+", " ", f"{self.text}{data}")


def render(run: Any, arguments: str = "") -> Page:
    source = f"{{% load headway %}}{{% headway_run run {arguments} %}}"
    return Page(Template(source).render(Context({"run": run})))


arender = sync_to_async(render)


def read(**fields: Any) -> TaskRun:
    """A run as it might be read."""
    return TaskRun(**{"task": "a.b", "status": RunStatus.RUNNING, "last_seq": 2, **fields})


@pytest.mark.usefixtures("anyone")
async def test_what_happens_before_the_page_connects_comes_once(hub: Hub) -> None:
    run = await stored(events=3)
    page = await arender(run)
    await emit(run, 4)
    after = page.elements["headway-run"]["after"]
    stream = await HttpStream(events_path(run.pk), f"after={after}").open()
    await emit(run, 2, finish=True)
    frames = await stream.until(9)
    assert [frame.id for frame in frames] == seqs(4, 9)
    await stream.body()


@pytest.mark.usefixtures("anyone")
async def test_of_a_finished_run_nothing_is_left(hub: Hub) -> None:
    run = await stored(events=3, finish=True)
    page = await arender(str(run.pk))
    element = page.elements["headway-run"]
    assert (element["run"], element["status"]) == (str(run.pk), "SUCCESSFUL")
    stream = await HttpStream(events_path(run.pk), f"after={element['after']}").open()
    assert stream.status == 204


@pytest.mark.django_db
class TestRendering:
    def test_progress(self) -> None:
        progress = {"done": 1234.5, "total": 4000, "message": "<b>reading</b>"}
        run = read(last_seq=12345, progress=progress)
        with translation.override("de"):
            page = render(run, 'label="Import & more"')
        element = page.elements["headway-run"]
        assert (element["after"], element["label"]) == ("12345", "Import & more")
        assert element["progress"] == '{"done":1234.5,"total":4000,"message":"<b>reading</b>"}'
        bar = page.elements["progress"]
        assert bar == {"aria-label": "Import & more", "max": "4000", "value": "1234.5"}
        assert "Running" in page.text
        assert "<b>reading</b>" in page.text
        assert "b" not in page.elements

    def test_a_progress_of_another_form(self) -> None:
        run = read(progress=["x"])
        page = render(run)
        assert page.elements["progress"].keys() == {"aria-label"}
        assert page.elements["headway-run"]["progress"] == '["x"]'

    def test_a_handle_says_the_same(self) -> None:
        handle = app.add.enqueue(1)
        assert render(handle).elements == render(handle.id).elements
        assert render(handle).elements["headway-run"]["status"] == "READY"
        run = TaskRun.objects.get(pk=handle.id)
        run.status = RunStatus.FAILED
        run.errors = [{"type": "E", "message": "no <luck>", "traceback": "x\nE: no <luck>"}]
        assert "no <luck>" in render(run).text
        assert "no <luck>" in render(Handle.of_run(run)).text

    def test_a_task_that_this_process_does_not_know(self) -> None:
        run = read(task="nowhere.to_be_found", status=RunStatus.READY)
        assert "Queued" in render(run).text

    def test_stopping(self) -> None:
        run = read(cancel_requested="stop")
        page = render(run)
        assert page.elements["headway-run"]["stopping"] == "stop"
        assert "Stopping" in page.text

    def test_a_value_is_cut(self) -> None:
        run = read(status=RunStatus.SUCCESSFUL, return_value="x" * 10_000)
        assert 300 < len(render(run).text) < 500

    def test_no_such_run(self) -> None:
        with pytest.raises(RunDoesNotExist):
            render("00000000-0000-7000-8000-000000000000")
        with pytest.raises(MalformedRunId):
            render("x")


async def test_the_text_up_to_the_cursor(transactional_db: None) -> None:
    run = await stored(events=1)

    @sync_to_async
    def append(text: str) -> None:
        run.last_seq += 1
        event = {"type": "append", "at": datetime.now(UTC), "data": encode(text)}
        TaskEvent.objects.create(run=run, seq=run.last_seq, **event)
        run.save()

    await append("a < ")
    await append("b")
    before = await sync_to_async(TaskRun.objects.get)(pk=run.pk)
    await append(" and more")
    assert "a < b " in (await arender(before, "text=True")).text
    assert "more" not in (await arender(before, "text=True")).text
    assert "a <" not in (await arender(before)).text
