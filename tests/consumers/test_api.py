"""Runs over HTTP: look, enqueue, end, again; and every way to ask for it wrongly."""

import json
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpResponse
from django.test import AsyncClient

from consumers.hub import Hub
from tasks.models import TaskRun
from tasks.states import RunStatus

from . import calls
from .conftest import Login
from .fakes import seqs
from .rows import emit, stored
from .streams import HttpStream, parsed

pytestmark = pytest.mark.django_db(transaction=True)

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


# Enqueueing


async def test_enqueue(client: AsyncClient) -> None:
    response = await post(client)
    assert response.status_code == 201
    content = response.json()
    assert response["Location"] == content["links"]["self"]
    assert content["status"] == "READY"
    [run] = await runs()
    assert (str(run.pk), run.task) == (content["id"], GREET["task"])
    assert (run.args, run.kwargs, run.user_id) == (["ann"], {"times": 2}, None)


async def test_enqueue_by_registered_name_without_arguments(client: AsyncClient) -> None:
    response = await post(client, {"task": "tell-a-story"})
    assert response.json()["task"] == "tests.consumers.calls.tell"


async def test_an_argument_may_be_called_self(client: AsyncClient) -> None:
    response = await post(client, {"task": "tell-a-story", "kwargs": {"self": "you"}})
    assert response.status_code == 201


async def test_a_run_is_its_users(anyone: None, ann: Login) -> None:
    await post(ann.client)
    assert [run.user_id for run in await runs()] == [ann.user.pk]


async def test_by_default_staff_alone_enqueues(ann: Login, staff: Login) -> None:
    refused(await post(AsyncClient()), 401, "not_authenticated")
    refused(await post(ann.client), 403, "forbidden")
    # Whether the task exists is not theirs to know either.
    refused(await post(ann.client, {"task": "nope"}), 403, "forbidden")
    assert (await post(staff.client)).status_code == 201
    assert len(await runs()) == 1


async def test_the_rule_sees_the_task_by_its_path(settings: Any) -> None:
    seen: list[Any] = []

    def rule(user: Any, run: TaskRun, action: str) -> bool:
        seen.append((run.task, run.args, run.kwargs, run.user_id, action))
        return False

    settings.HEADWAY = {"AUTHZ": rule}
    await post(AsyncClient(), {"task": "tell-a-story", "kwargs": {"words": 1}})
    assert seen == [("tests.consumers.calls.tell", [], {"words": 1}, None, "enqueue")]


BAD_BODIES = [
    (b" ", "bad_request"),
    (b"{", "bad_request"),
    (b"[]", "bad_request"),
    (b"null", "bad_request"),
    (b'"x"', "bad_request"),
    (b"\xff\xfe", "bad_request"),
    (b"[" * 50_000, "bad_request"),
    (b"1" * 5_000, "bad_request"),
    (b"{}", "bad_request"),
    (b'{"task": null}', "bad_request"),
    (b'{"task": ""}', "bad_request"),
    (b'{"task": ["a"]}', "bad_request"),
    (b'{"task": "tell-a-story", "args": {}}', "bad_request"),
    (b'{"task": "tell-a-story", "args": "abc"}', "bad_request"),
    (b'{"task": "tell-a-story", "kwargs": []}', "bad_request"),
    (b'{"task": "tell-a-story", "kwargs": null}', "bad_request"),
    (b'{"task": "tell-a-story", "priority": 5}', "bad_request"),
    (b'{"task": "tell-a-story", "kwargs": {"nope": 1}}', "bad_arguments"),
    (b'{"task": "tell-a-story", "kwargs": {"context": 1}}', "bad_arguments"),
    (b'{"task": "tell-a-story", "args": [1, 2, 3, 4]}', "bad_arguments"),
    (b'{"task": "tests.consumers.calls.greet"}', "bad_arguments"),
    (b'{"task": "tests.consumers.calls.greet", "args": [NaN]}', "bad_arguments"),
    (b'{"task": "tests.consumers.calls.greet", "args": [1e999]}', "bad_arguments"),
    (b'{"task": "tests.consumers.calls.greet", "args": ["\\ud800"]}', "bad_arguments"),
]


@pytest.mark.parametrize(("body", "code"), BAD_BODIES)
async def test_a_bad_body(client: AsyncClient, body: bytes, code: str) -> None:
    response = await client.post("/tasks/", body, content_type="application/json")
    refused(response, 400, code)
    assert await runs() == []


@pytest.mark.parametrize(
    "name", ["nope", "os.system", "tests.consumers.calls", "\x00", "x" * 9_000]
)
async def test_no_such_task(client: AsyncClient, name: str) -> None:
    refused(await post(client, {"task": name}), 404, "no_such_task")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "x/y/z"])
async def test_not_json(client: AsyncClient, kind: str) -> None:
    response = await client.post("/tasks/", b"{}", content_type=kind)
    refused(response, 415, "not_json")


async def test_a_nul_survives(client: AsyncClient) -> None:
    await post(client, {"task": GREET["task"], "args": ["\x00"]})
    assert [run.args for run in await runs()] == [["\x00"]]


async def test_a_body_that_says_that_it_is_too_large(client: AsyncClient) -> None:
    refused(await post(client, {"task": "x" * 70_000}), 413, "too_large")
    run = await stored()
    response = await client.post(f"/tasks/{run.pk}/stop/", {"x": "y" * 70_000})
    refused(response, 413, "too_large")


async def test_a_body_that_does_not_say_so(anyone: None) -> None:
    """As with chunked transfer: there is no length."""
    headers = [(b"content-type", b"application/json"), *await csrf()]
    stream = HttpStream("/tasks/", headers=headers, method="POST")
    await stream.open(b'{"task": "' + b"x" * 70_000 + b'"}')
    assert stream.status == 413


@pytest.mark.parametrize("length", [b"-1", b"abc", b"9" * 40, b""])
async def test_a_length_that_is_none(anyone: None, length: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    stream = HttpStream("/tasks/", headers=[*headers, *await csrf()], method="POST")
    await stream.open(json.dumps(GREET).encode())
    assert stream.status in {201, 400, 413}


# The same request twice


async def test_an_idempotency_key(anyone: None, ann: Login, bob: Login) -> None:
    first = await post(ann.client, headers={"Idempotency-Key": "k1"})
    again = await post(ann.client, headers={"Idempotency-Key": "k1"})
    other = await post(ann.client, headers={"Idempotency-Key": "k2"})
    another = await post(bob.client, headers={"Idempotency-Key": "k1"})
    assert first.json()["id"] == again.json()["id"]
    assert len({response.json()["id"] for response in (first, other, another)}) == 3
    assert len(await runs()) == 3


async def test_a_key_for_another_call(client: AsyncClient) -> None:
    await post(client, headers={"Idempotency-Key": "k1"})
    changed = await post(client, {**GREET, "args": ["bob"]}, headers={"Idempotency-Key": "k1"})
    refused(changed, 409, "key_reused")
    assert len(await runs()) == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "é"])
async def test_a_bad_key(client: AsyncClient, key: str) -> None:
    refused(await post(client, headers={"Idempotency-Key": key}), 400, "bad_request")


# Enqueueing and watching in one


async def test_enqueue_and_stream(anyone: None, hub: Hub) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"accept", b"text/event-stream"),
        *await csrf(),
    ]
    stream = HttpStream("/tasks/", headers=headers, method="POST")
    await stream.open(json.dumps(GREET).encode())
    assert stream.status == 201
    [run] = await runs()
    assert stream.headers["location"] == f"/tasks/{run.pk}/"
    frames = await stream.until(run.last_seq)
    assert frames[0].event == "queued"
    await emit(run, 3, finish=True)
    frames += parsed(await stream.body())
    assert [frame.id for frame in frames] == seqs(1, run.last_seq)
    assert hub.watched == 0


async def test_who_may_enqueue_but_not_watch_gets_the_snapshot(hub: Hub, settings: Any) -> None:
    settings.HEADWAY = {"AUTHZ": lambda user, run, action: action == "enqueue"}
    response = await post(AsyncClient(), headers={"Accept": "text/event-stream"})
    assert response.status_code == 201
    assert response["Content-Type"] == "application/json"


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


# CSRF and methods


async def csrf() -> list[tuple[bytes, bytes]]:
    """What a page of ours sends with a POST."""
    token = b"a" * 32
    return [(b"cookie", b"csrftoken=" + token), (b"x-csrftoken", token)]


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
