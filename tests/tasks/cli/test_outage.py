"""A database that is away while a command looks again and again."""

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError

from tasks.cli.outage import Outage
from tasks.engine import store
from tests.app import tasks as app

from .calls import call

Said = list[str]


@pytest.fixture
def said() -> Said:
    return []


@pytest.mark.django_db
def test_it_is_said_once_and_when_it_is_over(said: Said) -> None:
    outage = Outage(said.append, 60)
    for error in (OperationalError("it is away.\nand more"), InterfaceError("closed")):
        with outage:
            raise error
        assert outage.lasts
    with outage:
        pass
    assert not outage.lasts
    with outage:
        pass
    assert said == [
        "The database says: it is away. It is asked again for 60 s.",
        "The database answers again.",
    ]


@pytest.mark.django_db
def test_patience_ends(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    outage = Outage(said.append, 60)
    with outage:
        raise OperationalError("away")
    monkeypatch.setattr(outage, "_patience", 0.0)
    with pytest.raises(OperationalError), outage:
        raise OperationalError("away")


def test_without_patience_it_is_an_error(said: Said) -> None:
    with pytest.raises(OperationalError), Outage(said.append, 0):
        raise OperationalError("away")
    assert said == []


@pytest.mark.parametrize("error", [ProgrammingError("no such column"), KeyError("run")])
def test_other_errors_are_errors(said: Said, error: Exception) -> None:
    with pytest.raises(type(error)), Outage(said.append, 60):
        raise error
    assert said == []


@pytest.mark.django_db(transaction=True)
def test_a_result_is_waited_for_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = app.add.enqueue(1)
    handle.stop()
    tries: list[object] = []

    def heads(run_ids: object) -> object:
        tries.append(run_ids)
        if len(tries) == 1:
            raise OperationalError("away")
        return found(run_ids)

    found: Any = store.heads
    monkeypatch.setattr(store, "heads", heads)
    done = call("result", handle.id)
    assert done.code == 5
    assert done.err.splitlines()[:2] == [
        "The database says: away. It is asked again for 300 s.",
        "The database answers again.",
    ]
    tries.clear()
    assert call("result", handle.id, "--outage", "0").code == 1
