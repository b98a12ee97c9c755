"""Messages to runs, over HTTP and over the WebSockets: the same rule, the same refusals."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from consumers.feeds.hub import Hub
from tasks import commands
from tasks.codec import decode
from tasks.definition import registry
from tasks.message import Message
from tasks.models import TaskRun
from tasks.states import RunStatus

from .asking import client, refused
from .rows import stored
from .streams import PATIENCE, socket

__all__ = ["client"]

pytestmark = pytest.mark.django_db(transaction=True)

Ask = Callable[[TaskRun, dict[str, Any]], Awaitable[dict[str, Any]]]


async def post(client: AsyncClient, path: str, content: Any) -> Any:
    return await client.post(path, json.dumps(content), content_type="application/json")


async def by_one_socket(run: TaskRun, message: dict[str, Any]) -> dict[str, Any]:
    return await _by(f"/ws/tasks/{run.pk}/", {"op": "send", **message})


async def by_the_shared_socket(run: TaskRun, message: dict[str, Any]) -> dict[str, Any]:
    return await _by("/ws/tasks/", {"op": "send", "run": str(run.pk), **message})


async def _by(path: str, command: dict[str, Any]) -> dict[str, Any]:
    ws = socket(path)
    assert await ws.connect(PATIENCE) == (True, None)
    await ws.send_json_to(command)
    answer: dict[str, Any] = await ws.receive_json_from(PATIENCE)
    await ws.disconnect()
    return answer


async def sent() -> list[Any]:
    return [decode(item.data) async for item in Message.objects.order_by("number")]


async def test_over_http(client: AsyncClient) -> None:
    run = await stored()
    for number, data in enumerate([{"ü": 1}, None], 1):
        response = await post(client, f"/tasks/{run.pk}/send/", {"data": data})
        assert (response.status_code, response.json()["number"]) == (202, number)
    assert await sent() == [{"ü": 1}, None]


@pytest.mark.parametrize("ask", [by_one_socket, by_the_shared_socket])
async def test_over_a_websocket(hub: Hub, anyone: None, ask: Ask) -> None:
    run = await stored()
    answer = await ask(run, {"data": [1], "ref": 7})
    assert (answer["op"], answer["ok"], answer["number"], answer["ref"]) == ("send", True, 1, 7)
    assert await sent() == [[1]]
    assert (await ask(run, {}))["error"]["code"] == "bad_request"


@pytest.mark.parametrize("said", [False, 1, "yes", None])
@pytest.mark.parametrize("ask", [by_one_socket, by_the_shared_socket])
async def test_only_true_lets_send(hub: Hub, settings: Any, ask: Ask, said: object) -> None:
    async def rule(user: object, run: TaskRun, action: str) -> object:
        return said if action == "send" else True

    settings.HEADWAY = {"AUTHZ": rule}
    answer = await ask(await stored(), {"data": 1})
    assert answer["error"]["code"] == "not_authenticated"
    assert await sent() == []


async def test_who_may_not_over_http(settings: Any, ann: Any) -> None:
    settings.HEADWAY = {}
    his, hers = await stored(), await stored(user=ann.user)
    refused(
        await post(AsyncClient(), f"/tasks/{hers.pk}/send/", {"data": 1}), 401, "not_authenticated"
    )
    refused(await post(ann.client, f"/tasks/{his.pk}/send/", {"data": 1}), 403, "forbidden")
    assert (await post(ann.client, f"/tasks/{hers.pk}/send/", {"data": 1})).status_code == 202


async def test_what_is_refused(client: AsyncClient) -> None:
    run = await stored()
    done = await stored(status=RunStatus.FAILED)
    path = f"/tasks/{run.pk}/send/"
    bodies: list[Any] = [[], {}, {"data": 1, "more": 2}]
    for body in bodies:
        refused(await post(client, path, body), 400, "bad_request")
    refused(await client.post(path, b"{", content_type="application/json"), 400, "bad_request")
    refused(await client.post(path, b"{}", content_type="text/plain"), 415, "not_json")
    refused(await post(client, f"/tasks/{uuid4()}/send/", {"data": 1}), 404, "no_such_run")
    refused(await post(client, f"/tasks/{done.pk}/send/", {"data": 1}), 409, "finished")
    assert await sent() == []


async def test_nobody_executes_a_program_by_its_name(client: AsyncClient) -> None:
    assert registry.find("headway.command") is commands.run_command
    for name in ("headway.command", "tasks.commands.run_command"):
        body = {"task": name, "args": [["true"]]}
        refused(await post(client, "/tasks/", body), 404, "no_such_task")
    assert await sync_to_async(TaskRun.objects.count)() == 0
