"""``manage.py headway_prune``."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.tasks.old import finished, left

database = pytest.mark.django_db(transaction=True)


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("headway_prune", *arguments, stdout=out)
    return out.getvalue()


@database
def test_the_command_goes_by_the_settings(settings: Any) -> None:
    settings.HEADWAY = {"RETENTION": [{"days": 5}]}
    young = finished(4)
    finished(6)
    assert command("--dry-run") == "Would delete 1 finished runs.\n"
    assert len(left()) == 2
    assert command() == "Deleted 1 finished runs.\n"
    assert left() == {young.pk}


@database
def test_the_command_goes_by_its_arguments() -> None:
    kept = [finished(4, queue_name="mail"), finished(4, status="FAILED"), finished(1)]
    finished(4)
    chosen = ("--days", "2", "--queue", "default", "--status", "SUCCESSFUL")
    assert command(*chosen, "--dry-run") == "Would delete 1 finished runs.\n"
    assert command(*chosen) == "Deleted 1 finished runs.\n"
    assert left() == {run.pk for run in kept}
    assert command("--runs", "0", "--days", "2", "--dry-run") == "Would delete 3 finished runs.\n"
    assert command("--runs", "0") == "Deleted 3 finished runs.\n"


@pytest.mark.parametrize(
    "arguments",
    [("--days", "x"), ("--days", "0"), ("--runs", "-1"), ("--queue", "a"), ("--status", "READY")],
)
def test_the_command_says_what_is_right(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="days"):
        command(*arguments)
