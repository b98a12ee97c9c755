"""Cross-site requests, and methods that are not there."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import AsyncClient

from tasks.states import RunStatus

from ..asking import client, post, refused, runs
from ..rows import stored

__all__ = ["client"]

pytestmark = pytest.mark.django_db(transaction=True)


# CSRF and methods


@pytest.mark.parametrize("with_middleware", [True, False])
async def test_without_a_token_nothing_is_done(
    anyone: None, settings: Any, with_middleware: bool
) -> None:
    """By our own check, so that a project without the middleware is safe as well."""
    if not with_middleware:
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]
    client = AsyncClient(enforce_csrf_checks=True)
    run = await stored(status=RunStatus.READY)
    refused(await post(client), 403, "csrf")
    for what in ("stop", "kill", "retry"):
        refused(await client.post(f"/tasks/{run.pk}/{what}/"), 403, "csrf")
    assert [found.status for found in await runs()] == [RunStatus.READY]


async def test_with_a_token(anyone: None) -> None:
    client = AsyncClient(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    response = await post(client, headers={"X-CSRFToken": "a" * 32})
    assert response.status_code == 201


async def test_a_form_carries_the_token_too(anyone: None) -> None:
    client = AsyncClient(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    run = await stored(status=RunStatus.READY)
    form = {"csrfmiddlewaretoken": "a" * 32}
    assert (await client.post(f"/tasks/{run.pk}/stop/", form)).status_code == 202


async def test_a_foreign_origin_with_a_token(anyone: None) -> None:
    client = AsyncClient(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    headers = {"X-CSRFToken": "a" * 32, "Origin": "https://evil.example"}
    refused(await post(client, headers=headers), 403, "csrf")


async def test_a_form_that_cannot_be_read(anyone: None) -> None:
    client = AsyncClient(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    run = await stored(status=RunStatus.READY)
    response = await client.post(
        f"/tasks/{run.pk}/stop/", b"nonsense", content_type="multipart/form-data; boundary="
    )
    refused(response, 400, "bad_request")


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/tasks/", "get", "POST"),
        ("/tasks/{}/", "post", "GET, HEAD"),
        ("/tasks/{}/", "delete", "GET, HEAD"),
        ("/tasks/{}/stop/", "get", "POST"),
        ("/tasks/{}/kill/", "put", "POST"),
        ("/tasks/{}/retry/", "get", "POST"),
        ("/health/ready", "delete", "GET, HEAD"),
    ],
)
async def test_a_method_that_is_not_there(
    client: AsyncClient, path: str, method: str, allow: str
) -> None:
    run = await stored(status=RunStatus.READY)
    response: HttpResponse = await getattr(client, method)(path.format(run.pk))
    refused(response, 405, "method_not_allowed")
    assert response["Allow"] == allow
    assert [found.status for found in await runs()] == [RunStatus.READY]
