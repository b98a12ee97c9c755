"""``manage.py tasks send``."""

from typing import Any
from uuid import uuid4

import pytest

from tasks import Context, task
from tasks.testing import running_supervisor
from tests.app import tasks as app

from .calls import acall, call

pytestmark = pytest.mark.django_db(transaction=True)


@task(takes_context=True)
async def hear(context: Context, count: int) -> list[Any]:
    return [await context.receive() for _ in range(count)]


async def test_values_arrive_in_order_with_their_types() -> None:
    async with running_supervisor():
        handle = await hear.aenqueue(3)
        for data in ('"123"', "123", '{"a": [null]}'):
            assert await acall("send", handle.id, data) == (0, "", "")
        assert await handle.await_result(20) == ["123", 123, {"a": [None]}]
        late = await acall("send", handle.id, "4")
        assert (late.code, late.out) == (7, "")
        assert "receives nothing more" in late.err


@pytest.mark.parametrize(
    ("data", "problem"), [("hello", "is no JSON"), ("NaN", "NaN and infinity are no JSON")]
)
def test_what_cannot_be_sent(data: str, problem: str) -> None:
    done = call("send", app.add.enqueue(1).id, data)
    assert (done.code, done.out) == (2, "")
    assert problem in done.err


def test_to_nobody() -> None:
    assert call("send", str(uuid4()), "1").code == 3
    assert call("send", "17", "1").code == 3
