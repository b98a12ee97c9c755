"""``manage.py tasks retry``."""

import pytest

from tasks.handles import Handle
from tasks.models import TaskRun
from tests.app import tasks as app
from tests.tasks.old import finished

from .calls import call

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_call_as_a_new_run() -> None:
    handle: Handle = app.add.using(metadata={"shop": 7}).enqueue(1, b=2)
    handle.stop()
    again = call("retry", handle.id)
    assert again.code == 0
    run = TaskRun.objects.get(pk=again.out.strip())
    assert (run.status, run.args, run.kwargs) == ("READY", [1], {"b": 2})
    assert (run.metadata, str(run.pk) != handle.id) == ({"shop": 7}, True)
    [told] = call("retry", handle.id, "--json").json
    assert told["run"] == handle.id
    assert TaskRun.objects.filter(pk=told["retry"]).exists()


def test_what_cannot_be_retried() -> None:
    waiting: Handle = app.add.enqueue(1)
    gone = finished(task="no.such.task")
    changed = finished(args=[1, 2, 3])
    done = call("retry", waiting.id, str(gone.pk), str(changed.pk))
    assert (done.code, done.out) == (7, "")
    not_yet, unknown, misfit = done.err.splitlines()
    assert "has not finished yet: it is READY" in not_yet
    assert "'no.such.task'" in unknown
    assert "too many positional arguments" in misfit
    assert TaskRun.objects.count() == 3
