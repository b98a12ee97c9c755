"""Runs enqueued in a request belong to who made it."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from consumers.middleware import enqueueing_as
from tasks.context import current_user
from tasks.models import TaskRun

from .calls import greet
from .conftest import Login

pytestmark = pytest.mark.django_db(transaction=True)


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(greet.enqueue("sync").id)


async def async_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse((await greet.aenqueue("async")).id)


def idle(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(current_user.get() is not None))


urlpatterns = [path("sync/", view), path("async/", async_view), path("idle/", idle)]


@pytest.fixture(autouse=True)
def installed(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "consumers.middleware.run_owner"]


async def owner(run_id: bytes) -> Any:
    run = await sync_to_async(TaskRun.objects.get)(pk=run_id.decode())
    return run.user_id


@pytest.mark.parametrize("url", ["/sync/", "/async/"])
async def test_the_requests_user(ann: Login, url: str) -> None:
    response = await ann.client.get(url)
    assert await owner(response.content) == ann.user.pk
    assert current_user.get() is None


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
        assert current_user.get() is not None
    response = await ann.client.get("/idle/")
    assert response.content == b"True"
