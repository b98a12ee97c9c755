"""Enqueueing over HTTP: what a body may say, whose the run is, twice, and watched at once."""

import json
from typing import Any

import pytest
from django.test import AsyncClient

from consumers.feeds.hub import Hub
from tasks.models import TaskRun

from ..asking import GREET, client, csrf, post, refused, runs
from ..conftest import Login
from ..connections import HttpStream, parsed
from ..fakes import seqs
from ..rows import emit, stored

__all__ = ["client"]

pytestmark = pytest.mark.django_db(transaction=True)


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
