"""Appended text: the same when put together, in its place among the events, and few of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.attempts.text import pieces
from tasks.events import Event
from tasks.exceptions import InvalidEvent, InvalidValue, RunCancelled
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.engine.writing.test_journal import Bench, an_attempt, finish, numbers
from tests.tasks.runs import row

AWKWARD = ["", "a", "\x00", '"\\', "\n", "é", "\N{SNOWMAN}", "\U0001f600", "</script>"]


def text_of(events: Sequence[Event]) -> str:
    return "".join(json.loads(event.data) for event in events if event.type == "append")


async def _mix(plan: list[str | int | None]) -> None:
    async with Bench() as bench:
        attempt = an_attempt()
        bench.writer.log[attempt.claim.run_id] = [attempt.claim.started] * 2
        said = ""
        for step in plan:
            if step is None:
                await asyncio.sleep(conf().append)  # the time after which text leaves by itself
            elif isinstance(step, int):
                bench.journal.append(attempt, "tick", len(said))
            else:
                said += step
                bench.journal.append_text(attempt, step)
        await finish(bench, attempt)
        sent = bench.publisher.sent[attempt.claim.run_id]
    assert numbers(sent) == list(range(3, len(sent) + 3))
    assert sent[-1].type == "finished"
    assert text_of(sent) == said
    for place, event in enumerate(sent):
        if event.type == "tick":  # it has the text before it, and not more
            assert len(text_of(sent[:place])) == json.loads(event.data)


steps = st.sampled_from(AWKWARD) | st.text(max_size=400) | st.just(1) | st.none()


@pytest.fixture
def short(settings: Any) -> None:
    settings.HEADWAY = {"APPEND": 0.002, "EVENT_BYTES": 1024}


@pytest.mark.usefixtures("short")
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(steps, max_size=30))
def test_the_text_is_the_same_and_in_its_place(plan: list[str | int | None]) -> None:
    asyncio.run(_mix(plan))


async def test_the_first_leaves_at_once_and_the_rest_together(settings: Any) -> None:
    settings.HEADWAY = {"APPEND": 0.5}
    async with Bench() as bench:
        attempt = an_attempt()
        bench.writer.log[attempt.claim.run_id] = [attempt.claim.started] * 2
        for token in "abcde":
            bench.journal.append_text(attempt, token)
        assert [json.loads(event.data) for event in attempt.pending] == ["a"]
        await bench.journal.flush(attempt)
        sent = bench.publisher.sent[attempt.claim.run_id]
        assert [json.loads(event.data) for event in sent] == ["a", "bcde"]


async def test_it_leaves_by_itself() -> None:
    async with Bench() as bench:
        attempt = an_attempt()
        bench.writer.log[attempt.claim.run_id] = [attempt.claim.started] * 2
        bench.journal.append_text(attempt, "a")
        bench.journal.append_text(attempt, "b")
        async with asyncio.timeout(5):
            sent = bench.publisher.sent
            while text_of(sent.get(attempt.claim.run_id, [])) != "ab":  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.005)  # the pause between two looks


async def test_nothing_waits_for_who_does_not_want_it(settings: Any) -> None:
    settings.HEADWAY = {"APPEND": 0}
    async with Bench() as bench:
        attempt = an_attempt()
        for token in "abc":
            bench.journal.append_text(attempt, token)
        assert [json.loads(event.data) for event in attempt.pending] == ["a", "b", "c"]


async def test_what_is_no_text_is_refused() -> None:
    async with Bench() as bench:
        attempt = an_attempt()
        wrong: Any
        for wrong in (None, b"a", 7, ["a"]):
            with pytest.raises(InvalidEvent, match="takes a str"):
                bench.journal.append_text(attempt, wrong)
        with pytest.raises(InvalidValue):
            bench.journal.append_text(attempt, "a\ud800")
        assert attempt.pending == []
        await finish(bench, attempt)
        with pytest.raises(RunCancelled):
            bench.journal.append_text(attempt, "late")


@given(st.text(), st.integers(1, 50))
def test_pieces_fit_and_make_the_whole(text: str, most: int) -> None:
    found = list(pieces(text, most))
    assert json.loads('"' + "".join(piece for piece, _ in found) + '"') == text
    for piece, size in found:
        assert size == len(piece.encode())
        assert size <= max(most, 6)


@pytest.fixture
async def supervisor(transactional_db: None) -> AsyncIterator[None]:
    async with running_supervisor():
        yield


@pytest.mark.parametrize("name", ["write", "write_in_thread"])
async def test_from_a_task(supervisor: None, name: str) -> None:
    tokens = AWKWARD * 50
    handle = await getattr(app, name).aenqueue(tokens)
    assert await handle.await_result(20) == len(tokens)
    run = await row(handle)
    found = await sync_to_async(store.read_text)(run.pk, run.last_seq)
    assert "".join(map(json.loads, found)) == "".join(tokens)
    assert run.last_seq < len(tokens) / 2


async def test_a_new_attempt_begins_a_new_text(supervisor: None) -> None:
    handle = await app.write_twice.aenqueue()
    await handle.await_result(20)
    run = await row(handle)
    found = await sync_to_async(store.read_text)(run.pk, run.last_seq)
    assert list(map(json.loads, found)) == ["attempt 2"]
