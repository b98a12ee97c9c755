"""``manage.py tasks result``."""

from typing import Any

import pytest

from tasks.handles import Handle
from tasks.testing import running_supervisor
from tests.app import tasks as app

from .calls import acall, call

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("value", ["123", 123, 2**60, None, {"a": ["é", 1.5]}, True])
async def test_a_value_as_json_as_often_as_one_asks(value: Any) -> None:
    async with running_supervisor():
        handle = await app.echo.aenqueue(value)
        for _ in range(2):
            done = await acall("result", handle.id, "--timeout", "20")
            assert (done.code, done.json) == (0, [value])


async def test_a_text_as_it_is() -> None:
    async with running_supervisor():
        handle = await app.echo.aenqueue("two\nlines")
        done = await acall("result", handle.id, "--raw", "--timeout", "20")
    assert done.out == "two\nlines\n"


async def test_how_it_ended() -> None:
    async with running_supervisor():
        failed = await app.fail.aenqueue("no paper")
        done = await acall("result", failed.id, "--timeout", "20")
        assert (done.code, done.out) == (4, "")
        assert done.err.strip() == f"{failed.id} FAILED: RuntimeError: no paper"
        [told] = (await acall("result", failed.id, "--json")).json
        assert (told["status"], told["error"]["message"]) == ("FAILED", "no paper")


def test_of_one_that_was_cancelled() -> None:
    handle: Handle = app.add.enqueue(1)
    handle.stop()
    done = call("result", handle.id)
    assert (done.code, done.out) == (5, "")
    assert f"{handle.id} CANCELLED" in done.err


@pytest.mark.parametrize("timeout", ["0", "0.05"])
def test_one_that_goes_on(timeout: str) -> None:
    handle: Handle = app.add.enqueue(1)
    done = call("result", handle.id, "--timeout", timeout)
    assert (done.code, done.out) == (6, "")
    assert "it goes on" in done.err
