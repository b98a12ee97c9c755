"""``manage.py tasks enqueue``."""

from pathlib import Path
from typing import Any

import pytest

from tasks import task
from tasks.models import TaskRun
from tasks.testing import running_supervisor

from .calls import acall, call

pytestmark = pytest.mark.django_db(transaction=True)

ADD, ECHO = "tests.app.tasks.add", "tests.app.tasks.echo"


@task
async def with_self(self: Any) -> Any:
    return self


def newest() -> TaskRun:
    return TaskRun.objects.get()


@pytest.mark.parametrize(
    ("typed", "args", "kwargs"),
    [
        (["3"], [3], {}),
        (["3", "b=4"], [3], {"b": 4}),
        (["a=1", "b=2"], [], {"a": 1, "b": 2}),
        (['"123"'], ["123"], {}),
        (['{"x": [null, 1.5]}'], [{"x": [None, 1.5]}], {}),
        (['"a=b"'], ["a=b"], {}),
    ],
)
def test_arguments(typed: list[str], args: list[Any], kwargs: dict[str, Any]) -> None:
    done = call("enqueue", ADD, *typed)
    assert done == (0, f"{newest().pk}\n", "")
    assert (newest().args, newest().kwargs) == (args, kwargs)


def test_an_argument_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text("[1, 2]")
    assert call("enqueue", ECHO, f"value=@{path}").code == 0
    assert newest().kwargs == {"value": [1, 2]}


def test_an_argument_called_self() -> None:
    assert call("enqueue", with_self.module_path, "self=1").code == 0
    assert newest().kwargs == {"self": 1}


def test_options(django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("ann")
    given = ["--queue", "mail", "--priority", "5", "--max-attempts", "3", "--unique-key", "k"]
    more = ["--metadata", '{"shop": 7}', "--user", str(user.pk), "--delay", "60", "--json"]
    [told] = call("enqueue", "suite.named", *given, *more).json
    run = newest()
    assert told == {"id": str(run.pk), "task": "tests.app.tasks.named", "status": "READY"}
    assert (run.queue_name, run.priority, run.max_attempts) == ("mail", 5, 3)
    assert (run.metadata, run.user, run.unique_key) == ({"shop": 7}, user, "k")
    assert run.run_after is not None
    assert (run.run_after - run.enqueued_at).total_seconds() == pytest.approx(60, abs=5)
    again = call("enqueue", "suite.named", *given)
    assert again.out == f"{run.pk}\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["tests.app.tasks.ad"], "Did you mean tests.app.tasks.add"),
        (["suite.name", "1"], "Did you mean suite.named"),
        (["os.system", '"true"'], "is no task"),
        ([ADD], "missing a required argument: 'a'"),
        ([ADD, "1", "c=2"], "unexpected keyword argument 'c'"),
        ([ADD, "hello"], """A text is typed as '"hello"'"""),
        ([ADD, "a=1", "2"], "has no name"),
        ([ADD, "NaN"], "NaN and infinity are no JSON"),
        ([ADD, "@/no/such/file"], "cannot be read"),
        ([ADD, "1", "--metadata", "[]"], "must be a JSON object"),
        ([ADD, "1", "--priority", "1000"], "priority"),
        ([ADD, "1", "--max-attempts", "0"], "max_attempts"),
        ([ADD, "1", "--user", "nobody"], "no user"),
        ([ADD, "1", "--delay", "nan"], "invalid seconds"),
    ],
)
def test_what_cannot_be(arguments: list[str], problem: str) -> None:
    done = call("enqueue", *arguments)
    assert (done.code in (1, 2), done.out) == (True, "")
    assert problem in done.err
    assert not TaskRun.objects.exists()


async def test_and_wait() -> None:
    async with running_supervisor():
        done = await acall("enqueue", ADD, "2", "b=3", "--wait", "--timeout", "20")
        assert (done.code, done.out) == (0, "5\n")
        failed = await acall("enqueue", "tests.app.tasks.fail", "--wait", "--timeout", "20")
        assert (failed.code, failed.out) == (4, "")
        assert "RuntimeError: broken" in failed.err
        watched = await acall("enqueue", ADD, "2", "--watch", "--timeout", "20")
        assert watched.code == 0
        assert "SUCCESSFUL" in watched.out
