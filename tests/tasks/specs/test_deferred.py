"""Submitting with the commit."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction

from tasks.exceptions import (
    HeadwayError,
    InvalidArguments,
    InvalidSpec,
    NotCommitted,
    RolledBack,
    SpecNotFound,
)
from tasks.models import TaskRun
from tasks.pipelines import (
    asubmit_pipeline_on_commit,
    asubmit_pipeline_reference_on_commit,
    submit_pipeline_on_commit,
    submit_pipeline_reference_on_commit,
)
from tasks.specs import (
    asubmit_spec_reference_on_commit,
    asubmit_taskspec_on_commit,
    submit_spec_reference_on_commit,
    submit_taskspec_on_commit,
)

pytestmark = pytest.mark.django_db(transaction=True)

Submit = Callable[..., Any]

GIVE = {"name": "give", "target": "tests.app.functions:give"}
LINE = {"name": "p", "stages": [{"name": "a", "task": "tests.app.tasks.echo", "args": [1]}]}

FORMS: list[tuple[Submit, Any]] = [
    (submit_taskspec_on_commit, GIVE),
    (async_to_sync(asubmit_taskspec_on_commit), GIVE),
    (submit_spec_reference_on_commit, "report"),
    (async_to_sync(asubmit_spec_reference_on_commit), "report"),
    (submit_pipeline_on_commit, LINE),
    (async_to_sync(asubmit_pipeline_on_commit), LINE),
    (submit_pipeline_reference_on_commit, "nightly"),
    (async_to_sync(asubmit_pipeline_reference_on_commit), "nightly"),
]
forms = pytest.mark.parametrize(("submit", "what"), FORMS)


@forms
def test_it_is_there_after_the_commit_as_it_was_at_the_call(submit: Submit, what: Any) -> None:
    payload = [1, 2]
    with transaction.atomic():
        handle = submit(what, payload=payload)
        payload.append(3)
        with pytest.raises(NotCommitted):
            _ = handle.id
    run = TaskRun.objects.get()
    assert handle.id == str(run.pk)
    assert "[1, 2]" in str(run.args)
    assert "3]" not in str(run.args)


@forms
def test_a_rollback_takes_it_back(submit: Submit, what: Any) -> None:
    with transaction.atomic():
        handle = submit(what, payload=[1])
        transaction.set_rollback(True)
    with pytest.raises(RolledBack):
        _ = handle.id
    assert not TaskRun.objects.exists()


@forms
def test_it_waits_for_nothing(submit: Submit, what: Any) -> None:
    with transaction.atomic(), pytest.raises(InvalidArguments, match="wait=True is for what is"):
        submit(what, payload=[1], wait=True)
    with transaction.atomic(), pytest.raises(InvalidArguments, match="called payload= here"):
        submit(what, work_payload=[1])


@forms
def test_a_parameter_that_there_is_not_is_said_before_the_commit(submit: Submit, what: Any) -> None:
    with transaction.atomic(), pytest.raises(InvalidArguments, match="no parameter bogus="):
        submit(what, payload=[1], bogus=True)
    assert not TaskRun.objects.exists()


@pytest.mark.parametrize(
    ("submit", "what", "kind"),
    [
        (submit_taskspec_on_commit, {"name": "a"}, InvalidSpec),
        (submit_taskspec_on_commit, {"name": "a", "target": "no.such"}, InvalidSpec),
        (submit_spec_reference_on_commit, "no/such", SpecNotFound),
        (submit_spec_reference_on_commit, "report", InvalidArguments),
        (submit_pipeline_on_commit, {"name": "a", "stages": []}, InvalidSpec),
        (submit_pipeline_reference_on_commit, "no/such", SpecNotFound),
        (submit_pipeline_reference_on_commit, "nightly", InvalidArguments),
    ],
)
def test_what_is_wrong_is_said_before_the_commit(
    submit: Submit, what: Any, kind: type[HeadwayError]
) -> None:
    with transaction.atomic(), pytest.raises(kind):
        submit(what)
