"""Runs enqueued in a request belong to who made it, and have its id."""

import asyncio
import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from consumers.middleware import enqueueing_as
from tasks.models import TaskRun
from tasks.surroundings import circumstances

from .calls import greet
from .conftest import Login

pytestmark = pytest.mark.django_db(transaction=True)


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(greet.enqueue("sync").id)


async def async_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse((await greet.aenqueue("async")).id)


def idle(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(circumstances.current_user.get() is not None))


urlpatterns = [path("sync/", view), path("async/", async_view), path("idle/", idle)]


@pytest.fixture(autouse=True)
def installed(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [
        "consumers.middleware.request_id",
        *settings.MIDDLEWARE,
        "consumers.middleware.run_owner",
    ]


async def owner(run_id: bytes) -> Any:
    run = await sync_to_async(TaskRun.objects.get)(pk=run_id.decode())
    return run.user_id


@pytest.mark.parametrize("url", ["/sync/", "/async/"])
async def test_the_requests_user(ann: Login, url: str) -> None:
    response = await ann.client.get(url)
    assert await owner(response.content) == ann.user.pk
    assert circumstances.current_user.get() is None


@pytest.mark.parametrize("url", ["/sync/", "/async/"])
async def test_nobodys(url: str) -> None:
    response = await AsyncClient().get(url)
    assert await owner(response.content) is None


def test_under_wsgi(django_user_model: Any) -> None:
    client = Client()
    user = django_user_model.objects.create_user("cay")
    client.force_login(user)
    run = TaskRun.objects.get(pk=client.get("/sync/").content.decode())
    assert run.user_id == user.pk


async def test_nobody_is_asked_where_nothing_is_enqueued(
    ann: Login, django_assert_num_queries: Any
) -> None:
    with enqueueing_as(lambda: pytest.fail("asked")):
        assert circumstances.current_user.get() is not None
    response = await ann.client.get("/idle/")
    assert response.content == b"True"


@pytest.mark.parametrize("url", ["/sync/", "/async/"])
async def test_the_requests_id(url: str) -> None:
    response = await AsyncClient().get(url, headers={"X-Request-ID": "a1-b2"})
    run = await TaskRun.objects.aget(pk=response.content.decode())
    assert (run.context, response["X-Request-ID"]) == ({"request_id": "a1-b2"}, "a1-b2")
    assert circumstances.request_id.get() is None


@pytest.mark.parametrize("given", [None, "", "two words", "\x1b[31m", "é", "x" * 129])
async def test_a_request_without_a_good_id_gets_one(given: str | None) -> None:
    headers = {} if given is None else {"X-Request-ID": given}
    first = await AsyncClient().get("/async/", headers=headers)
    second = await AsyncClient().get("/async/", headers=headers)
    ids = []
    for response in (first, second):
        run = await TaskRun.objects.aget(pk=response.content.decode())
        assert re.fullmatch("[0-9a-f]{32}", response["X-Request-ID"])
        assert run.context["request_id"] == response["X-Request-ID"]
        ids.append(run.context["request_id"])
    assert ids[0] != ids[1]


async def test_requests_at_once_have_their_own(ann: Login) -> None:
    async def ask(number: int) -> None:
        response = await AsyncClient().get("/async/", headers={"X-Request-ID": f"r{number}"})
        run = await TaskRun.objects.aget(pk=response.content.decode())
        assert run.context == {"request_id": f"r{number}"}

    await asyncio.gather(*map(ask, range(10)))
