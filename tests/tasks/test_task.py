"""The decorator, and what it refuses."""

from datetime import timedelta
from typing import Any

import pytest

from tasks import Task, task
from tasks.compat import InvalidTask
from tasks.compat import Task as DjangoTask
from tasks.definition import registry
from tasks.exceptions import UnknownTask
from tests.app import tasks as app


def test_is_a_task_of_the_framework() -> None:
    assert isinstance(app.add, Task)
    assert isinstance(app.add, DjangoTask)
    assert app.add.module_path == "tests.app.tasks.add"
    assert app.add.name == "add"


async def test_is_callable() -> None:
    assert await app.add(1, b=2) == 3
    assert app.add_in_thread(1, 2) == 3
    assert list(app.sync_values(3)) == [0, 1, 2]


def test_using_changes_a_copy() -> None:
    later = app.add.using(priority=7, run_after=timedelta(hours=1), timeout=2, max_attempts=4)
    assert (later.priority, later.timeout, later.max_attempts) == (7, 2, 4)
    assert (later.run_after, later.delay) == (None, timedelta(hours=1))
    assert (app.add.priority, app.add.timeout) == (0, None)


@pytest.mark.parametrize(
    "options",
    [
        {"priority": 101},
        {"priority": 1.5},
        {"timeout": 0},
        {"timeout": "1"},
        {"max_attempts": 0},
        {"max_attempts": 1.5},
    ],
    ids=repr,
)
def test_bad_options(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidTask):
        app.add.using(**options)


def test_a_local_function_is_refused() -> None:
    with pytest.raises(InvalidTask):

        @task
        def local() -> None: ...


def test_found_by_name_and_path() -> None:
    assert registry.find("suite.named") is app.named
    assert registry.find("tests.app.tasks.named") is app.named
    assert registry.resolve("tests.app.tasks.named") is app.named


@pytest.mark.parametrize("name", ["os.system", "add", "tests.app.tasks.missing", ""])
def test_unknown_names_import_nothing(name: str) -> None:
    with pytest.raises(UnknownTask):
        registry.find(name)


@pytest.mark.parametrize("path", ["os.system", "no.such.module", "tests.app.tasks.ambient"])
def test_a_path_that_is_no_task(path: str) -> None:
    with pytest.raises(UnknownTask):
        registry.resolve(path)


def test_two_functions_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"tests\.app\.tasks\.named.*tests\.app\.tasks\.echo"):
        task(name="suite.named")(app.echo.func)
