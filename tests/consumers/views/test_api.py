"""Runs over HTTP: look, end, again; and in what projects."""

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from tasks.states import RunStatus

from ..asking import client, post, refused, runs
from ..conftest import Login
from ..rows import stored

__all__ = ["client"]

pytestmark = pytest.mark.django_db(transaction=True)


# Looking


async def test_a_snapshot(client: AsyncClient) -> None:
    run = await stored(events=3, progress={"done": 1}, metadata={"order": 7})
    response = await client.get(f"/tasks/{run.pk}/")
    assert response["Cache-Control"] == "no-store"
    content = response.json()
    assert content["id"] == str(run.pk)
    assert (content["last_seq"], content["progress"]) == (3, {"done": 1})
    assert content["metadata"] == {"order": 7}


@pytest.mark.parametrize("path", ["", "events/"])
async def test_looking_for_what_is_not_there(client: AsyncClient, path: str) -> None:
    refused(await client.get(f"/tasks/{uuid4()}/{path}"), 404, "no_such_run")
    refused(await client.get(f"/tasks/nonsense/{path}"), 400, "malformed_id")


# Ending


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_end(client: AsyncClient, how: str) -> None:
    run = await stored(status=RunStatus.READY)
    response = await client.post(f"/tasks/{run.pk}/{how}/")
    assert response.status_code == 202
    assert response.json() == {"id": str(run.pk), "requested": how}
    await sync_to_async(run.refresh_from_db)()
    assert run.status == RunStatus.CANCELLED
    refused(await client.post(f"/tasks/{run.pk}/{how}/"), 409, "finished")


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_running_run_is_asked(client: AsyncClient, how: str) -> None:
    run = await stored(status=RunStatus.RUNNING)
    assert (await client.post(f"/tasks/{run.pk}/{how}/")).status_code == 202
    await sync_to_async(run.refresh_from_db)()
    assert (run.status, run.cancel_requested) == (RunStatus.RUNNING, how)


# Once more


async def test_retry_is_a_new_run(anyone: None, ann: Login) -> None:
    run = await stored(events=2, finish=True, args=["ann"])
    response = await ann.client.post(f"/tasks/{run.pk}/retry/")
    assert response.status_code == 202
    old, new = await runs()
    assert response["Location"] == f"/tasks/{new.pk}/"
    assert (old.pk, old.last_seq) == (run.pk, 2)
    assert (new.task, new.args, new.user_id) == (run.task, ["ann"], ann.user.pk)


async def test_retry_needs_an_end(client: AsyncClient) -> None:
    run = await stored()
    refused(await client.post(f"/tasks/{run.pk}/retry/"), 409, "not_finished")


@pytest.mark.parametrize("task", ["tests.consumers.calls.gone", "no.such.module"])
async def test_retry_of_a_task_that_is_no_more(client: AsyncClient, task: str) -> None:
    run = await stored(events=1, finish=True, task=task)
    refused(await client.post(f"/tasks/{run.pk}/retry/"), 409, "no_such_task")


async def test_retry_with_arguments_that_fit_no_more(client: AsyncClient) -> None:
    run = await stored(events=1, finish=True, kwargs={"old": 1})
    refused(await client.post(f"/tasks/{run.pk}/retry/"), 409, "bad_arguments")


# In a project of somebody's own


async def test_a_project_with_atomic_requests(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    assert (await post(client)).status_code == 201


async def test_a_project_where_everything_needs_a_login(client: AsyncClient, settings: Any) -> None:
    """Our own rules decide, and in JSON: a health check has no login to begin with."""
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    assert (await client.get("/health/live")).status_code == 200
    assert (await post(client)).status_code == 201


async def test_a_project_without_any_middleware(settings: Any) -> None:
    settings.MIDDLEWARE = []
    run = await stored()
    refused(await AsyncClient().get(f"/tasks/{run.pk}/"), 401, "not_authenticated")
