"""``manage.py tasks stop`` and ``kill``."""

import pytest

from tasks.handles import Handle
from tasks.ids import new_run_id
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.runs import claim_one, started

from .calls import acall, call

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_one_that_waits(how: str) -> None:
    handle: Handle = app.add.enqueue(1)
    assert call(how, handle.id) == (0, f"{handle.id} CANCELLED\n", "")
    refused = call(how, handle.id)
    assert (refused.code, refused.out) == (7, "")
    assert refused.err.strip() == f"{handle.id} has finished already: it is CANCELLED."


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_one_that_is_executed(how: str) -> None:
    async with running_supervisor():
        handle = await app.sleep.aenqueue(3600)
        await started(handle)
        done = await acall(how, handle.id, "--wait", "--timeout", "20", "--json")
        assert done.code == 0
        assert done.json[0]["status"] == "CANCELLED"


def test_one_that_is_executed_elsewhere_is_asked() -> None:
    handle: Handle = app.add.enqueue(1)
    claim_one("another")
    assert call("stop", handle.id).out == f"{handle.id} stop\n"
    assert call("kill", handle.id).out == f"{handle.id} kill\n"
    waited = call("kill", handle.id, "--wait", "--timeout", "0.01")
    assert waited.code == 6


def test_of_several_the_rest_is_done() -> None:
    first, second = app.add.enqueue(1), app.add.enqueue(2)
    first.stop()
    done = call("stop", first.id, second.id, second.id)
    assert (done.code, done.out) == (7, f"{second.id} CANCELLED\n")
    assert first.id in done.err


@pytest.mark.parametrize("subcommand", ["stop", "kill"])
def test_one_that_there_is_not(subcommand: str) -> None:
    unknown = str(new_run_id())
    done = call(subcommand, unknown)
    assert (done.code, done.out) == (3, "")
    assert unknown in done.err
    assert call(subcommand, "nonsense").code == 3
