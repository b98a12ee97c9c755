"""Requests to the API, and what the answers have in common."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from tasks.models import TaskRun

from . import calls

__all__ = ["GREET", "client", "csrf", "post", "refused", "runs"]

GREET = {"task": calls.greet.module_path, "args": ["ann"], "kwargs": {"times": 2}}


@pytest.fixture
async def client(anyone: None) -> AsyncClient:
    return AsyncClient()


async def post(client: AsyncClient, content: Any = None, **extra: Any) -> Any:
    body = json.dumps(GREET if content is None else content)
    return await client.post("/tasks/", body, content_type="application/json", **extra)


def refused(response: Any, status: int, code: str) -> None:
    assert response.status_code == status
    content = json.loads(response.content)
    assert content["error"]["code"] == code
    assert content["error"]["message"]
    assert content.keys() == {"error"}
    assert "Traceback" not in response.content.decode()


async def runs() -> list[TaskRun]:
    return await sync_to_async(lambda: list(TaskRun.objects.order_by("id")))()


async def csrf() -> list[tuple[bytes, bytes]]:
    """What a page of ours sends with a POST."""
    token = b"a" * 32
    return [(b"cookie", b"csrftoken=" + token), (b"x-csrftoken", token)]
