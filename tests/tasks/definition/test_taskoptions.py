"""The options of a task: where they come from, and what is refused."""

import importlib
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from tasks import Task, task
from tasks.checks import TAG
from tasks.compat import InvalidTask
from tasks.conf import conf
from tasks.definition import registry
from tasks.definition.taskoptions import known_defaults, known_overrides
from tasks.exceptions import HeadwayError, InvalidOption
from tasks.stream_run import run_stream_task
from tests.app import tasks as app

DEFAULTS = {"priority": 3, "timeout": 60, "queue_name": "reports", "metadata": {"team": "a"}}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes modules of tasks, which are forgotten with the test."""
    known, specs = dict(registry._tasks), dict(registry._specs)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_tasks", known)
    monkeypatch.setattr(registry, "_specs", specs)

    def make(name: str, text: str) -> Any:
        (tmp_path / f"{name}.py").write_text(f"from tasks import task\n{text}")
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return make


def test_override_before_decorator_before_default(module: Any) -> None:
    with override_settings(HEADWAY={"DEFAULT_TASK": DEFAULTS}):
        made = module(
            "made_here",
            "@task\nasync def plain(): ...\n"
            "@task(priority=0, timeout=5, metadata={'team': 'b'})\nasync def own(): ...\n",
        )
    plain, own = made.plain, made.own
    assert (plain.priority, plain.timeout, plain.queue_name) == (3, 60, "reports")
    assert (own.priority, own.timeout, own.queue_name) == (0, 5, "reports")
    assert (plain.metadata, own.metadata) == ({"team": "a"}, {"team": "b"})
    again = own.using(timeout=7, queue_name="mail")
    assert (again.timeout, again.queue_name, again.priority) == (7, "mail", 0)


def test_headways_own_tasks_have_no_default() -> None:
    with override_settings(HEADWAY={"DEFAULT_TASK": DEFAULTS}):
        assert task(app.add.func).timeout == 60
        assert task(run_stream_task.func).timeout is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"priorty": 1}, r"\['priorty'\] is no option of a task's\. Known: backend, backoff"),
        ({"func": print}, "'func'"),
        ({"run_after": None}, "'run_after'"),
        ({"timeout": "1"}, "timeout must be a number of seconds above 0, not '1'"),
        ({"max_attempts": 0}, "max_attempts must be a whole number from 1, not 0"),
        ({"backoff": 2}, "backoff must be a function, or the dotted path"),
        ({"runner": "fast"}, "runner must be one of"),
        ([], "must be a dict of options"),
    ],
    ids=repr,
)
def test_a_wrong_default_is_named_at_start(given: Any, said: str) -> None:
    with override_settings(HEADWAY={"DEFAULT_TASK": given}):
        with pytest.raises(ImproperlyConfigured, match=said):
            conf()
        assert [found.id for found in run_checks(tags=[TAG])] == ["headway.E001"]
        # The tasks are made before the checks are: they must get as far as that.
        assert task(app.echo.func).timeout is None


def test_an_override_that_there_is_not() -> None:
    with pytest.raises(
        InvalidOption, match=r"'priorty'.*Did you mean 'priority'.*Known: .*timeout"
    ):
        app.add.using(priorty=1)  # type: ignore[call-arg]
    with pytest.raises(InvalidOption, match="'backoff'"):  # no run could hold a function
        app.add.using(backoff=app.soon)  # type: ignore[call-arg]
    with pytest.raises(InvalidOption, match="'retries'"):
        task(retries=3)(app.add.func)  # type: ignore[call-overload]
    assert issubclass(InvalidOption, HeadwayError)
    assert issubclass(InvalidOption, TypeError)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": float("inf")},
        {"timeout": True},
        {"max_attempts": True},
        {"priority": "high"},
        {"queue_name": "q" * 101},
        {"unique_key": "k" * 256},
        {"metadata": [1]},
    ],
    ids=repr,
)
def test_a_wrong_value_is_refused_before_anything_is_stored(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidTask, match=next(iter(options))):
        app.add.using(**options)


def test_description() -> None:
    assert app.add.description == ""
    assert app.stubborn.description == "Swallows its cancellation for a while."
    assert task(description="Adds.")(app.add.func).description == "Adds."


def test_one_name_for_two_functions_names_both_places(module: Any) -> None:
    with pytest.raises(ValueError, match=r"'suite.named': tests\.app\.tasks\.named \(.*tasks\.py:"):
        module("thief", "@task(name='suite.named')\nasync def other(): ...\n")
    with pytest.raises(ValueError, match=r"twice\.py:2\).*twice\.py:4\)"):
        module("twice", "@task\nasync def f(): ...\n@task\nasync def f(): ...\n")


def test_a_module_may_be_loaded_again(module: Any) -> None:
    text = "@task(name='reloaded')\nasync def f(): ...\n"
    made = module("loaded", text)
    first = made.f
    Path(made.__file__).write_text(f"from tasks import task\n\n# moved\n\n{text}")
    importlib.reload(made)
    assert registry.find("reloaded") is made.f is not first


def test_what_can_be_given_is_what_a_task_has() -> None:
    of_the_function = {"func", "takes_context", "registered_name", "description"}
    of_a_moment = {"delay"}  # given as run_after
    has = {field.name for field in fields(Task)} - of_the_function - of_a_moment
    assert known_defaults() | known_overrides() == has
