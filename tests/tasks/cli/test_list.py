"""``manage.py tasks list``."""

from typing import Any

import pytest

from tasks.models import TaskRun
from tests.app import tasks as app
from tests.tasks.old import finished

from .calls import call

pytestmark = pytest.mark.django_db(transaction=True)


def test_lines_for_people() -> None:
    old = finished(1, task="shop.tasks.gone", queue_name="mail")
    new = app.add.enqueue(1)
    TaskRun.objects.filter(pk=new.id).update(
        status="RUNNING", attempt=1, progress={"done": 1, "total": 3}
    )
    head, first, second = call("list").out.splitlines()
    assert head.split() == ["ID", "STATUS", "TRY", "PROGRESS", "ENQUEUED", "QUEUE", "TASK"]
    assert first.split()[:2] == [str(old.pk), "SUCCESSFUL"]
    assert first.split()[-2:] == ["mail", "shop.tasks.gone"]
    assert second.split()[:4] == [new.id, "RUNNING", "1/1", "33%"]


def test_objects_for_machines() -> None:
    handle = app.add.using(metadata={"shop": 7}).enqueue(1)
    [found] = call("list", "--json").json
    assert (found["id"], found["status"], found["metadata"]) == (handle.id, "READY", {"shop": 7})
    assert found.keys().isdisjoint({"args", "kwargs", "return_value"})


def test_nothing_is_nothing() -> None:
    assert call("list", "--json") == (0, "", "")
    assert call("list") == (0, "", "")


@pytest.mark.parametrize(
    ("filters", "tasks"),
    [
        (["--task", "tests.app.tasks.add"], ["add", "add"]),
        (["--task", "suite.named"], ["named"]),  # its name, where the run has its path
        (["--queue", "mail"], ["echo"]),
        (["--queue", "mail", "--queue", "sums"], ["echo", "add"]),
        (["--status", "failed"], ["add"]),
        (["--status", "FAILED", "--status", "READY"], ["echo", "named", "add", "add"]),
        (["--meta", "shop=7"], ["echo"]),
        (["--meta", "shop=7", "--meta", "shop=eight"], ["echo", "named"]),
        (["--limit", "2"], ["add", "add"]),
        (["--task", "no.such.task"], []),
    ],
)
def test_filters(filters: list[str], tasks: list[str]) -> None:
    app.echo.using(queue_name="mail", metadata={"shop": 7}).enqueue(1)
    app.named.using(metadata={"shop": "eight"}).enqueue()
    app.add.enqueue(1)
    broken = app.add.using(queue_name="sums").enqueue(1)
    TaskRun.objects.filter(pk=broken.id).update(status="FAILED")
    found = call("list", "--json", *filters).json
    assert [run["task"].rpartition(".")[2] for run in found] == tasks


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--limit", "0"], "--limit"),
        (["--limit", "many"], "invalid int"),
        (["--meta", "shop"], "NAME=VALUE"),
        (["--status", "LATE"], "invalid choice"),
        (["--colour"], "unrecognized"),
    ],
)
def test_bad_filters(arguments: list[str], problem: str) -> None:
    done = call("list", *arguments)
    assert done.code != 0
    assert problem in done.err


@pytest.mark.parametrize("flag", ["--settings=tests.settings", "--no-color", "--traceback"])
def test_options_of_django_at_the_end(flag: str) -> None:
    assert call("list", flag).code == 0


def test_what_a_task_says_commands_no_terminal() -> None:
    app.add.using(queue_name="\x1b[2Jmail").enqueue(1)
    done = call("list")
    assert "\x1b" not in done.out
    assert "�[2Jmail" in done.out
    [found] = call("list", "--json").json
    assert found["queue_name"] == "\x1b[2Jmail"


def test_a_row_of_strange_progress() -> None:
    strange: list[Any] = ["x", [1], {"done": "1"}, {"done": True, "total": 0}, {"done": 10**400}]
    for progress in strange:
        run = finished()
        TaskRun.objects.filter(pk=run.pk).update(progress=progress)
    assert call("list").out.count(" - ") == len(strange)
