"""``manage.py tasks watch`` where no terminal is; ``tests/e2e/test_commands.py`` has one."""

import pytest

from tasks.testing import running_supervisor
from tests.app import tasks as app

from .calls import acall, call

pytestmark = pytest.mark.django_db(transaction=True)


async def test_lines_in_a_pipe() -> None:
    async with running_supervisor():
        good, bad = await app.track.aenqueue(3), await app.fail.aenqueue("no paper")
        done = await acall("watch", good.id, bad.id, "--timeout", "20")
    assert done.code == 4
    assert "\x1b" not in done.out
    lines = done.out.splitlines()
    [end] = [line for line in lines if line.startswith(good.id) and "SUCCESSFUL" in line]
    assert "100%  3/3" in end
    assert f"{bad.id}  FAILED      RuntimeError: no paper" in lines


async def test_objects_for_machines() -> None:
    async with running_supervisor():
        handle = await app.track.aenqueue(3)
        done = await acall("watch", handle.id, "--json", "--timeout", "20")
    assert done.code == 0
    assert done.json[-1]["status"] == "SUCCESSFUL"
    assert done.json[-1]["progress"]["done"] == 3


def test_without_ids_what_has_not_finished() -> None:
    app.add.enqueue(1).stop()
    nothing = call("watch")
    assert (nothing.code, nothing.out) == (0, "")
    assert nothing.err.strip() == "Nothing runs or waits."
    waiting = app.add.enqueue(2)
    done = call("watch", "--timeout", "0")
    assert (done.code, done.out) == (6, f"{waiting.id}  READY     \n")


def test_of_several_ends_the_worst_counts() -> None:
    first = app.add.enqueue(1)
    first.stop()
    done = call("watch", first.id)
    assert done.code == 5
    assert f"{first.id}  CANCELLED" in done.out
