"""URLs that only look, and demand a rule."""

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import clear_url_caches, include, path

from consumers.feeds.hub import Hub

from .connections import HttpStream, events_path, parsed
from .rows import stored

READONLY = "consumers.readonly"


async def only_looking(user: Any, run: Any, action: str) -> bool:
    return action in ("view", "stream")


@pytest.fixture(autouse=True)
def imported_anew() -> Iterator[None]:
    sys.modules.pop(READONLY, None)
    clear_url_caches()
    yield
    sys.modules.pop(READONLY, None)
    clear_url_caches()


@pytest.mark.parametrize(
    ("headway", "problem"),
    [
        ({}, r"requires HEADWAY\['AUTHZ'\]"),
        ({"AUTHZ": None}, r"requires HEADWAY\['AUTHZ'\]"),
        ({"AUTHZ": "no.such.rule"}, "cannot be imported"),
        ({"AUTHZ": f"{__name__}.missing"}, "cannot be imported"),
        ({"AUTHZ": f"{__name__}.READONLY"}, "not callable"),
    ],
)
def test_without_a_rule_they_cannot_be_included(settings: Any, headway: Any, problem: str) -> None:
    settings.HEADWAY = headway
    with pytest.raises(ImproperlyConfigured, match=problem):
        path("runs/", include(READONLY))
    settings.HEADWAY = {"AUTHZ": f"{__name__}.only_looking"}
    path("runs/", include(READONLY))


@pytest.fixture
def included(settings: Any) -> None:
    settings.HEADWAY = {"AUTHZ": only_looking}
    importlib.import_module(READONLY)
    settings.ROOT_URLCONF = READONLY


async def test_they_show_a_run(hub: Hub, included: None) -> None:
    run = await stored(events=2, finish=True, return_value={"sum": 3})
    found = await HttpStream(f"/tasks/{run.pk}/").open()
    assert (found.status, found.json["return_value"]) == (200, {"sum": 3})
    stream = await HttpStream(events_path(run.pk)).open()
    assert [frame.id for frame in parsed(await stream.body())] == [1, 2]


@pytest.mark.parametrize(
    ("method", "where", "status"),
    [
        ("POST", "/tasks/", 404),
        ("POST", "/tasks/{}/", 405),
        ("DELETE", "/tasks/{}/", 405),
        ("POST", "/tasks/{}/events/", 405),
        ("POST", "/tasks/{}/stop/", 404),
        ("POST", "/tasks/{}/kill/", 404),
        ("POST", "/tasks/{}/send/", 404),
        ("POST", "/tasks/{}/retry/", 404),
        ("GET", "/metrics", 404),
    ],
)
async def test_they_do_nothing(
    hub: Hub, included: None, method: str, where: str, status: int
) -> None:
    run = await stored()
    request = HttpStream(where.format(run.pk), method=method)
    assert (await request.open(b"{}")).status == status
    await run.arefresh_from_db()
    assert (run.cancel_requested, run.status) == ("", "RUNNING")


async def test_who_is_denied_sees_nothing(hub: Hub, included: None, settings: Any) -> None:
    async def nobody(user: Any, run: Any, action: str) -> bool:
        return False

    settings.HEADWAY = {"AUTHZ": nobody}
    run = await stored()
    for where in (f"/tasks/{run.pk}/", events_path(run.pk)):
        assert (await HttpStream(where).open()).status == 401
