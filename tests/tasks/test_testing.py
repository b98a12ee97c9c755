"""What projects test with."""

import asyncio
import threading
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.test import SimpleTestCase, TestCase, TransactionTestCase

from tasks.exceptions import InvalidArguments, InvalidValue, NotCommitted
from tasks.models import TaskRun
from tasks.testing import (
    aassert_enqueued,
    aassert_not_enqueued,
    assert_enqueued,
    assert_not_enqueued,
    capture_runs,
    running_supervisor,
)
from tests.app import tasks as app


class CaptureTests(SimpleTestCase):
    """No database is there."""

    def test_nothing_is_stored_and_all_is_seen(self) -> None:
        with capture_runs() as runs:
            handle = app.add.using(priority=5).enqueue(1, b=2)
            app.echo.enqueue_many([(("x",), {}), (("y",), {})])
        assert [run.name for run in runs] == ["add", "echo", "echo"]
        first = runs[0]
        assert (first.args, first.kwargs, first.task.priority) == ([1], {"b": 2}, 5)
        assert (first.handle, handle.status, handle.name) == (handle, "READY", "add")
        assert [run.args for run in runs.of(app.echo)] == [["x"], ["y"]]
        assert (len(runs), bool(runs)) == (3, True)

    def test_what_is_wrong_is_refused_as_ever(self) -> None:
        with capture_runs() as runs:
            with pytest.raises(InvalidArguments):
                app.add.enqueue()  # type: ignore[call-arg]
            with pytest.raises(InvalidValue):
                app.echo.enqueue(object())
        assert not runs

    def test_assertions(self) -> None:
        with capture_runs() as runs:
            runs.assert_not_enqueued(app.add)
            with pytest.raises(AssertionError, match="Nothing was enqueued"):
                runs.assert_enqueued(app.add)
            app.add.enqueue(1, b=2)
            app.emit.enqueue(3)
            app.echo.enqueue((1, 2))
        assert runs.assert_enqueued(app.add) is runs[0]
        assert runs.assert_enqueued(app.add, b=2, a=1) is runs[0]
        runs.assert_enqueued(app.emit, 3, pause=0.0)  # its context is no argument
        runs.assert_enqueued(app.echo, [1, 2])  # as the task will see it
        runs.assert_not_enqueued(app.add, 1)
        with pytest.raises(AssertionError, match=r"add\(2\) was not enqueued\. Enqueued: .*b=2"):
            runs.assert_enqueued(app.add, 2)
        with pytest.raises(AssertionError, match=r"add\(1, 2\) was enqueued once"):
            runs.assert_not_enqueued(app.add, 1, 2)
        with pytest.raises(InvalidArguments):
            runs.assert_enqueued(app.add, 1, c=2)

    def test_one_run_a_key(self) -> None:
        with capture_runs() as runs:
            first = app.add.using(unique_key="k").enqueue(1)
            assert app.add.using(unique_key="k").enqueue(2) is first
        assert len(runs) == 1

    def test_one_in_another_and_other_threads(self) -> None:
        with capture_runs() as outer:
            with capture_runs() as inner:
                thread = threading.Thread(target=app.add.enqueue, args=(1,))
                thread.start()
                thread.join()
            app.add.enqueue(2)
        assert [run.args for run in inner] == [[1]]
        assert [run.args for run in outer] == [[2]]

    async def test_in_async_code(self) -> None:
        with capture_runs() as runs:
            await app.add.aenqueue(1)
        runs.assert_enqueued(app.add, 1)


class RolledBackTests(TestCase):
    def test_a_rollback_takes_back(self) -> None:
        with capture_runs() as runs:
            app.add.enqueue(1)
            with transaction.atomic():
                app.add.enqueue(2)
                assert len(runs) == 2
                transaction.set_rollback(True)
            assert [run.args for run in runs] == [[1]]

    def test_with_the_commit(self) -> None:
        with self.captureOnCommitCallbacks(execute=True), capture_runs() as runs:
            handle = app.add.enqueue_on_commit(1)
            runs.assert_enqueued(app.add, 1)
            with pytest.raises(NotCommitted):
                _ = handle.id
        assert handle.id == runs[0].handle.id

    def test_the_database_is_asked(self) -> None:
        app.add.enqueue(1, b=2)
        assert assert_enqueued(app.add, 1, 2).kwargs == {"b": 2}
        assert_not_enqueued(app.add, 1)
        with pytest.raises(AssertionError, match="was not enqueued"):
            assert_enqueued(app.echo)

    def test_no_run_could_begin_in_a_transaction(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="TransactionTestCase"), running_supervisor():
            pass

    async def test_nor_in_async_code(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="TransactionTestCase"):
            async with running_supervisor():
                pass


class SupervisedTests(TransactionTestCase):
    def test_in_a_sync_test(self) -> None:
        with running_supervisor() as supervisor:
            handles = [app.add.enqueue(1), app.add_in_thread.enqueue(2, 3)]
            assert [handle.wait(20) for handle in handles] == [1, 5]
            assert not supervisor.draining
        assert supervisor.drained.is_set()

    async def test_in_an_async_test(self) -> None:
        async with running_supervisor():
            assert await (await app.add.aenqueue(1)).await_result(20) == 1

    def test_again_and_again_without_a_thread_left(self) -> None:
        for _ in range(3):
            with running_supervisor():
                assert app.add.enqueue(1).wait(20) == 1
        names = [thread.name for thread in threading.enumerate()]
        assert "headway-test-supervisor" not in names

    def test_captured_runs_are_not_executed(self) -> None:
        with running_supervisor(), capture_runs() as runs:
            app.add.enqueue(1)
        assert len(runs) == 1
        assert not TaskRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_with_a_transactional_test_of_pytest_django() -> None:
    with running_supervisor():
        assert app.add.enqueue(1).wait(20) == 1


@pytest.mark.django_db(transaction=True)
async def test_with_an_async_one() -> None:
    async with running_supervisor():
        await aassert_not_enqueued(app.add)
        handle = await app.add.aenqueue(1)
        assert await handle.await_result(20) == 1
        assert (await aassert_enqueued(app.add, 1)).status == "SUCCESSFUL"


@pytest.mark.django_db
def test_one_that_is_not_is_told_so() -> None:
    with pytest.raises(ImproperlyConfigured, match="transaction=True"), running_supervisor():
        pass


@pytest.mark.django_db(transaction=True)
def test_a_database_in_memory_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "sqlite")
    monkeypatch.setattr(connection, "is_in_memory_db", lambda: True, raising=False)
    with pytest.raises(ImproperlyConfigured, match="name a file"), running_supervisor():
        pass


@pytest.mark.django_db(transaction=True)
def test_an_exception_of_the_block_is_not_hidden() -> None:
    with pytest.raises(LookupError, match="mine"), running_supervisor():
        raise LookupError("mine")


@pytest.mark.django_db(transaction=True)
def test_a_supervisor_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> None:
        await asyncio.sleep(0)  # a coroutine like the real one
        raise RuntimeError("no ground to stand on")

    monkeypatch.setattr("tasks.testing.supervisor.Supervisor.serve", fail)
    with pytest.raises(RuntimeError, match="no ground"), running_supervisor():
        pass
