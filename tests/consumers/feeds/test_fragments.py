"""Events as fragments of HTML: rendered, escaped, cut into lines, and made once."""

import asyncio
import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.template.loader import select_template
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from consumers.feeds import fragments
from consumers.feeds.fragments import Fragments, get_fragments
from consumers.wire import fragment
from tasks.codec import encode
from tasks.events import Event, envelope

from ..fragmentblocks import blocks

AT = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
RUN = UUID("0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071")


def event_of(type_: str, data: Any, seq: int = 4) -> bytes:
    return envelope(RUN, Event(seq, type_, AT, encode(data))).encode()


async def rendered(type_: str, data: Any) -> str:
    [block] = blocks(await Fragments().frames([b"4"], [event_of(type_, data)]))
    assert (block.id, block.event) == ("4", type_)
    return block.data.strip("\n") if type_ != "append" else block.data


@contextmanager
def templates(settings: Any, folder: Path, **texts: str) -> Iterator[None]:
    """The project's own, in front of ours."""
    for name, text in texts.items():
        path = folder / "headway" / "events" / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [folder]}]
    get_fragments.cache_clear()
    yield
    get_fragments.cache_clear()


@pytest.mark.parametrize(
    ("type_", "data", "shown"),
    [
        ("queued", {}, "Queued"),
        ("started", {"attempt": 1}, "Running"),
        ("started", {"attempt": 2}, "Running, attempt 2"),
        ("progress", {"done": 30, "total": 120, "message": "rows"}, "30 / 120 rows"),
        ("progress", {"done": 30, "total": None, "message": None}, "30 "),
        ("log", {"level": "info", "message": "<b>One</b>"}, "&lt;b&gt;One&lt;/b&gt;"),
        ("finished", {"status": "SUCCESSFUL", "return_value": "<i>"}, "Done: &lt;i&gt;"),
        ("finished", {"status": "SUCCESSFUL", "return_value": {"rows": 3}}, "Done<"),
        ("finished", {"status": "FAILED", "error": {"message": "No."}}, "Failed: No."),
        ("finished", {"status": "CANCELLED", "error": {}}, "Stopped"),
        ("order.shipped", {"to": "<Ann>"}, "{&quot;to&quot;:&quot;&lt;Ann&gt;&quot;}"),
    ],
)
async def test_what_each_type_shows(type_: str, data: Any, shown: str) -> None:
    assert shown in await rendered(type_, data)


async def test_progress_is_for_machines_too(settings: Any) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    text = await rendered("progress", {"done": 1234.5, "total": 5000})
    assert 'max="5000" value="1234.5"' in text
    assert "1,234.5 / 5,000" in text


async def test_the_state_shows_all() -> None:
    state = {"status": "RUNNING", "progress": {"done": 1, "total": 2}, "text": "a < b"}
    text = await rendered("snapshot", state)
    assert "Running" in text
    assert "1 / 2" in text
    assert "a &lt; b" in text


@hypothesis_settings(deadline=None)
@given(st.text())
async def test_appended_text_is_the_same_text(text: str) -> None:
    found = await rendered("append", text)
    assert "<" not in found
    # Line ends of other systems are line feeds to a browser, here as in any HTML.
    assert html.unescape(found) == re.sub(r"\r\n?", "\n", text)


@hypothesis_settings(deadline=None)
@given(st.text())
@example("a\rid: 9\rdata: b\r\rc")
def test_no_text_can_hold_a_field(text: str) -> None:
    [block] = blocks(b"id: 4\n" + fragment(b"log", text))
    assert block == ("4", "log", re.sub(r"\r\n?", "\n", text))


async def test_a_template_of_the_projects_own(settings: Any, tmp_path: Path) -> None:
    text = "{{ type }} {{ seq }} of {{ run }} at {{ at|date:'i:s' }}: {{ data.a }}, {{ json }}"
    with templates(settings, tmp_path, **{"a.b": text}):
        shown = await rendered("a.b", {"a": 1})
    assert shown == f"a.b 4 of {RUN} at 02:03: 1, {{&quot;a&quot;:1}}"


async def test_one_that_raises_breaks_nothing(
    settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with templates(settings, tmp_path, bad="{% include 'nowhere.html' %}"):
        many = Fragments()
        events = [event_of("bad", None, 1), event_of("bad", None, 2), event_of("log", {}, 3)]
        found = blocks(await many.frames([b"1", b"2", b"3"], events))
    assert [block[:2] for block in found] == [("1", "bad"), ("2", "bad"), ("3", "log")]
    assert [block.data for block in found[:2]] == ["", ""]
    assert [record.message for record in caplog.records] == ["Events 'bad' cannot be rendered."]


async def test_an_event_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[str]] = []

    def counted(names: list[str]) -> Any:
        made.append(names)
        return select_template(names)

    monkeypatch.setattr(fragments, "select_template", counted)
    events = [event_of("log", {"message": str(seq)}, seq) for seq in range(1, 6)]
    shared = Fragments()
    asked = [(list(range(first, 6)), events[first - 1 :]) for first in (1, 1, 3, 5)]
    found = await asyncio.gather(
        *(shared.frames([b"%d" % seq for seq in seqs], some) for seqs, some in asked)
    )
    assert found[0] == found[1]
    assert found[0].endswith(found[2])
    assert len(made) == 5


async def test_it_keeps_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Fragments(limit=2_000)
    events = [event_of("log", {"message": "m" * 100}, seq) for seq in range(1, 51)]
    ids = [b"%d" % seq for seq in range(1, 51)]
    assert len(blocks(await small.frames(ids, events))) == 50
    kept = small._kept
    assert 0 < sum(len(key) + len(block) for key, block in kept.items()) == small.size <= 2_000
    assert [block.id for block in blocks(await small.frames(ids, events))] == [
        id_.decode() for id_ in ids
    ]
