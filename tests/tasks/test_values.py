"""A value comes through unchanged, or is refused at once with what to do instead."""

import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.exceptions import InvalidValue
from tasks.models import TaskRun
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.runs import kinds

pytestmark = pytest.mark.django_db(transaction=True)

LARGE = 20_000_000  # characters


@pytest.fixture
async def supervisor() -> AsyncIterator[None]:
    async with running_supervisor():
        yield


@pytest.mark.parametrize("value", ["123", 2**60, -(2**70), 1.5, [1, "1", None], {"1": 1}], ids=repr)
async def test_as_argument_event_and_result(supervisor: None, value: Any) -> None:
    handle = await app.say.aenqueue(value)
    result = await handle.aresult(20)
    (event,) = [event async for event in handle.aevents() if event.type == "said"]
    for found in (handle.args[0], event.data, result.value):
        assert found == value
        assert type(found) is type(value)


@pytest.mark.parametrize("name", ["echo", "echo_in_thread"])
async def test_twenty_megabytes_as_argument_and_result(supervisor: None, name: str) -> None:
    value = "0123456789" * (LARGE // 10)
    handle = await getattr(app, name).aenqueue(value)
    result = await handle.aresult(60)
    assert result.value == value
    assert (await handle.aresult()).value == value
    newest = [event async for event in handle.aevents()][-1]
    assert newest.data["return_value_omitted"] is True  # no watcher has asked for as much


async def test_twenty_megabytes_as_an_event_are_refused_with_what_to_do(supervisor: None) -> None:
    result = await (await app.large_event.aenqueue(LARGE)).aresult(60)
    assert result.error is not None
    assert result.error.type == "tasks.exceptions.InvalidEvent"
    assert "send it in parts, or a reference" in result.error.message


REFUSED = [
    (math.nan, "pass None"),
    ([-math.inf], "pass None"),
    (datetime(2026, 11, 21, tzinfo=UTC), r"isoformat\(\)"),
    ({"at": [b"bytes"]}, "base64"),
    ({1, 2}, r"list\(value\)"),
]


@pytest.mark.parametrize(("value", "advice"), REFUSED, ids=repr)
async def test_refused_as_an_argument(value: Any, advice: str) -> None:
    with pytest.raises(InvalidValue, match=rf"arguments of echo\(\) cannot be stored.*{advice}"):
        await app.echo.aenqueue(value)
    with pytest.raises(InvalidValue, match=advice):
        await app.echo.aenqueue_on_commit(value)
    assert not await TaskRun.objects.aexists()


@pytest.mark.parametrize(
    ("kind", "advice"), [("nan", "pass None"), ("datetime", "isoformat()"), ("bytes", "base64")]
)
async def test_refused_as_a_result(supervisor: None, kind: str, advice: str) -> None:
    handle = await app.give.aenqueue(kind)
    result = await handle.aresult(20)
    assert result.status == "FAILED"
    assert result.error is not None
    assert result.error.type == "tasks.exceptions.InvalidValue"
    assert advice in result.error.message
    assert await kinds(handle) == ["queued", "started", "finished"]


def test_metadata_that_no_database_takes() -> None:
    with pytest.raises(InvalidValue, match="NUL"):
        app.add.using(metadata={"name": "a\x00b"}).enqueue(1)
    assert not TaskRun.objects.exists()
