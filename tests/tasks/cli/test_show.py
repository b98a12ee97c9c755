"""``manage.py tasks show``."""

from uuid import uuid4

import pytest

from tasks.testing import running_supervisor
from tests.app import tasks as app

from .calls import acall, call

pytestmark = pytest.mark.django_db(transaction=True)


async def test_all_of_it() -> None:
    async with running_supervisor():
        handle = await app.fail.aenqueue("no \x1b[31mpaper")
        done = await acall("result", handle.id, "--timeout", "20")
        assert done.code == 4
    shown = (await acall("show", handle.id)).out
    for part in (handle.id, "FAILED", "tests.app.tasks.fail", "Traceback", "RuntimeError"):
        assert part in shown
    assert "\x1b" not in shown
    [told] = (await acall("show", handle.id, "--json")).json
    assert (told["args"], told["status"], told["return_value"]) == (
        ["no \x1b[31mpaper"],
        "FAILED",
        None,
    )
    assert "Traceback" in told["errors"][0]["traceback"]


async def test_its_events() -> None:
    async with running_supervisor():
        handle = await app.emit.aenqueue(2)
        followed = await acall("show", handle.id, "--follow", "--json")
    events = followed.json
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]
    assert [event["type"] for event in events] == ["queued", "started", "tick", "tick", "finished"]
    assert events[2]["data"] == {"n": 0}
    later = (await acall("show", handle.id, "--events", "--after", "3")).out
    assert [line.split()[0] for line in later.splitlines()] == ["4", "5"]


def test_a_secret_is_not_shown() -> None:
    handle = app.add_in_thread.using(runner="process", env={"TOKEN": "s3cret"}).enqueue(1, 2)
    for done in (call("show", handle.id), call("show", handle.id, "--json")):
        assert "TOKEN" in done.out
        assert "s3cret" not in done.out


@pytest.mark.parametrize("subcommand", ["show", "result", "watch", "stop", "kill", "retry"])
def test_no_such_run(subcommand: str) -> None:
    gone = call(subcommand, str(uuid4()))
    assert (gone.code, gone.out) == (3, "")
    assert "There is no run" in gone.err
    malformed = call(subcommand, "17")
    assert (malformed.code, malformed.out) == (3, "")
    assert "A run id is a UUID" in malformed.err
