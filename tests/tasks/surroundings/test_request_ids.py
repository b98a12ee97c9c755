"""The id of the request in which a run was enqueued."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import transaction

from tasks.models import TaskRun
from tests.tasks.lookers import Seen, look

pytestmark = pytest.mark.django_db(transaction=True)


#: A project's own.
theirs: ContextVar[str | None] = ContextVar("theirs", default=None)


def provide() -> str | None:
    return theirs.get()


def test_a_request_id_is_that_of_the_enqueueing(settings: Any) -> None:
    settings.HEADWAY = {"REQUEST_ID_PROVIDER": f"{__name__}.provide"}
    token = theirs.set("req-abc")
    with transaction.atomic():
        handle = look.enqueue()
        theirs.reset(token)
    assert TaskRun.objects.get(pk=handle.id).context == {"request_id": "req-abc"}


def test_with_a_commit_it_is_that_of_the_call(settings: Any) -> None:
    settings.HEADWAY = {"REQUEST_ID_PROVIDER": f"{__name__}.provide"}
    token = theirs.set("req-abc")
    with transaction.atomic():
        handle = look.enqueue_on_commit()
        theirs.reset(token)
    assert TaskRun.objects.get(pk=handle.id).context == {"request_id": "req-abc"}


def failing() -> str:
    raise LookupError("no request")


@pytest.mark.parametrize(
    ("provider", "kept"),
    [
        (lambda: None, {}),
        (lambda: "", {}),
        (lambda: 17, {"request_id": "17"}),
        (lambda: "a\nb\x1b[31m", {"request_id": "ab[31m"}),
        (lambda: "x" * 1000, {"request_id": "x" * 200}),
        (failing, {}),
    ],
)
def test_whatever_a_provider_says_nothing_is_lost(
    settings: Any, caplog: pytest.LogCaptureFixture, provider: Callable[[], Any], kept: Seen
) -> None:
    settings.HEADWAY = {"REQUEST_ID_PROVIDER": provider}
    handle = look.enqueue()
    assert TaskRun.objects.get(pk=handle.id).context == kept
    assert ("REQUEST_ID_PROVIDER" in caplog.text) == (provider is failing)


@pytest.mark.parametrize(
    ("provider", "problem"),
    [
        ("no.such.module", "cannot be imported"),
        (f"{__name__}.missing", "cannot be imported"),
        (f"{__name__}.theirs", "is not callable"),
        (17, "must be a callable"),
    ],
)
def test_a_bad_provider_is_named_at_start(settings: Any, provider: Any, problem: str) -> None:
    settings.HEADWAY = {"REQUEST_ID_PROVIDER": provider}
    [message] = [found for found in run_checks() if "REQUEST_ID_PROVIDER" in found.msg]
    assert problem in message.msg
