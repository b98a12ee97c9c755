"""How a run is executed is decided and checked when it is enqueued, and kept with it."""

from typing import Any

import pytest

from tasks.codec import decode
from tasks.compat import InvalidTask
from tasks.definition.options import Options
from tasks.engine import store
from tasks.engine.store import Slot
from tasks.models import TaskRun
from tasks.task import task


@task
async def awaited() -> None: ...


@task
def called() -> None: ...


@task(memory_mb=200, cpu_seconds=5, env={"NAME": "value"})
def limited() -> None: ...


def generator() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runner": "fork"}, "'auto', 'async', 'thread', 'process', 'command', not 'fork'"),
        ({"memory_mb": -1}, "memory_mb must be a whole number from 1"),
        ({"memory_mb": True}, "memory_mb must be a whole number"),
        ({"cpu_seconds": 0.5}, "cpu_seconds must be a whole number"),
        ({"max_fds": 3}, "max_fds must be a whole number from 16"),
        ({"env": ["A=1"]}, "env must map names to values"),
        ({"env": {"A=B": "1"}}, "no name of an environment variable"),
        ({"env": {"A": 1}}, r"env\['A'\] must be a str"),
        ({"working_dir": ""}, "working_dir must be the path of a folder"),
        ({"stream_output": "yes"}, "stream_output must be True or False"),
        ({"runner": "thread", "memory_mb": 5}, "'thread' cannot follow memory_mb"),
        ({"runner": "thread", "stream_output": True}, "'thread' cannot follow stream_output"),
        ({"runner": "async"}, "would block the event loop"),
    ],
)
def test_a_bad_option_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidTask, match=message):
        called.using(**options)


def test_a_value_that_may_be_a_secret_is_not_told() -> None:
    with pytest.raises(InvalidTask) as refused:
        called.using(env={"TOKEN": b"hunter2"})  # type: ignore[dict-item]
    assert "hunter2" not in str(refused.value)


def test_an_async_function_is_not_for_threads() -> None:
    with pytest.raises(InvalidTask, match="is async, and runner='thread'"):
        awaited.using(runner="thread")


def test_a_command_is_returned_not_yielded() -> None:
    with pytest.raises(ValueError, match="it returns the argument list"):
        Options(runner="command").resolved(generator)


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(TypeError, match="memory"):
        called.using(memory=5)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (Options(), "thread"),
        (Options(runner="auto", cpu_seconds=1), "process"),
        (Options(working_dir="/tmp"), "process"),
        (Options(stream_output=False), "thread"),
        (Options(runner="command", env={}), "command"),
    ],
)
def test_auto_is_resolved(options: Options, chosen: str) -> None:
    assert options.resolved(called.func).runner == chosen


def test_what_is_stored_comes_back() -> None:
    given = Options(runner="process", env={"A": "ü"}, max_fds=64, stream_output=False)
    assert Options.stored(given.as_json()) == given
    assert Options.stored('{"of_a_later_release":1}') == Options()


@pytest.mark.django_db(transaction=True)
def test_they_are_kept_with_the_run_and_claimed() -> None:
    handle = limited.using(cpu_seconds=7, queue_name="options").enqueue()
    kept = {
        "runner": "process",
        "memory_mb": 200,
        "cpu_seconds": 7,
        "env": {"NAME": "value"},
    }
    assert TaskRun.objects.get(pk=handle.id).options == kept
    [claim] = store.claim("worker", 5, Slot(10, only=["options"]))
    assert decode(claim.options) == kept


@pytest.mark.django_db(transaction=True)
def test_many_are_stored_with_them() -> None:
    handles = awaited.enqueue_many([((), {}), ((), {})])
    kept = [TaskRun.objects.get(pk=handle.id).options for handle in handles]
    assert kept == [{"runner": "async"}] * 2
