from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import CheckMessage

from asgi_app.databases import PATIENCE, database
from tasks.surroundings import silence
from tasks.surroundings.silence import check_silence

REMOTE = {"ENGINE": "django.db.backends.postgresql", "HOST": "db.example", "NAME": "shop"}


def checked(monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]) -> list[CheckMessage]:
    # Django warns whoever overrides DATABASES in its own settings.
    monkeypatch.setattr(silence, "settings", SimpleNamespace(DATABASES={"default": given}))
    return check_silence()


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, ["headway.W020"]),
        ({"OPTIONS": {"connect_timeout": 5}}, ["headway.W020"]),
        ({"OPTIONS": PATIENCE}, []),
        ({"OPTIONS": {"service": "shop"}}, []),  # libpq's own file says it, or not
        ({"HOST": "/run/postgresql"}, []),
        ({"HOST": "127.0.0.1"}, []),
        ({"ENGINE": "django.db.backends.sqlite3", "HOST": ""}, []),
    ],
)
def test_a_network_that_swallows_packets(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], ids: list[str]
) -> None:
    found = checked(monkeypatch, REMOTE | changes)

    assert [message.id for message in found] == ids
    assert all("tcp_user_timeout" in (message.hint or "") for message in found)


def test_the_services_own_url_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(monkeypatch, database("postgres://db.example/shop")) == []
