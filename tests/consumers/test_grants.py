"""Grants open one run for one action, over HTTP and WebSocket, and nothing else."""

import json
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from consumers.feeds.hub import Hub
from consumers.wire import CloseCode
from tasks import grants
from tasks.models import TaskRun
from tasks.states import RunStatus

from .asking import csrf
from .conftest import Login
from .rows import emit, stored
from .streams import HttpStream, events_path, socket
from .test_bundlesocket import PATH, Client
from .test_websocket import closing, envelopes, opened, refused, text

Headers = list[tuple[bytes, bytes]]


def grant(run: TaskRun, action: str = "stream", lifetime: float = 60.0) -> str:
    return grants.make(run.pk, action, run.grants_revoked, lifetime)


def bearer(text: str) -> tuple[bytes, bytes]:
    return (b"authorization", f"Bearer {text}".encode())


def requests(run: TaskRun, text: str, headers: Headers) -> list[HttpStream]:
    """Its events, with a grant in a header and in the URL; alone and as one of several."""
    path, many = events_path(run.pk), "/tasks/events/"
    return [
        HttpStream(path, headers=[bearer(text), *headers]),
        HttpStream(path, f"grant={text}", headers),
        HttpStream(path, f"after=0&grant={text}", headers),
        HttpStream(many, f"run={run.pk}", [bearer(text), *headers]),
        HttpStream(many, f"grant={text}&run={run.pk}", headers),
    ]


def sockets(run: TaskRun, text: str, headers: Headers) -> list[Any]:
    offered = ["headway", f"headway.grant.{text}"]
    return [
        socket(run.pk, headers=headers, subprotocols=offered),
        socket(run.pk, headers=[bearer(text), *headers]),
        socket(run.pk, f"grant={text}", headers),
    ]


async def spoilt(run: TaskRun) -> dict[str, tuple[str, int, str]]:
    """Grants that do not hold for streaming this run: the status and the code they lead to."""
    good, other = grant(run), await stored()
    revoked = grants.make(run.pk, "stream", run.grants_revoked + 1, 60.0)
    return {
        "tampered": (good[:-1] + ("A" if good[-1] != "A" else "B"), 401, "bad_grant"),
        "cut": (good[:40], 401, "bad_grant"),
        "none": ("nonsense", 401, "bad_grant"),
        "expired": (await expired(run), 401, "grant_expired"),
        "revoked": (revoked, 401, "grant_revoked"),
        "other run": (grant(other), 403, "forbidden"),
        "other action": (grant(run, "view"), 403, "forbidden"),
    }


async def expired(run: TaskRun) -> str:
    made = grant(run, lifetime=0.001)
    while not grants.read(made).expired:  # a millisecond
        time.sleep(0.001)  # noqa: ASYNC251
    return made


async def test_a_grant_opens_its_run_to_nobody(hub: Hub) -> None:
    run = await stored(events=2, finish=True)
    for request in requests(run, grant(run), []):
        assert (await request.open()).status == 200
        assert b'"seq":2' in await request.body()
    for ws in sockets(run, grant(run), []):
        accepted, subprotocol = await ws.connect(10)
        assert accepted
        assert subprotocol == ("headway" if ws.scope["subprotocols"] else None)
        assert (await envelopes(ws))[1] == CloseCode.FINISHED


@pytest.mark.parametrize("logged_in", [False, True])
@pytest.mark.parametrize(
    "how", ["tampered", "cut", "none", "expired", "revoked", "other run", "other action"]
)
async def test_a_grant_that_does_not_hold(hub: Hub, ann: Login, how: str, logged_in: bool) -> None:
    """Nor does the cookie beside it: who shows a grant is let in by it or not at all."""
    run = await stored(events=1, user=ann.user)
    headers = [ann.cookie] if logged_in else []
    made, status, code = (await spoilt(run))[how]
    as_bearer = how != "none"  # a bearer token of another kind is not ours to judge
    for number, request in enumerate(requests(run, made, headers)):
        if as_bearer or number not in (0, 3):
            assert (await request.open()).status == status
            assert request.json["error"]["code"] == code
            assert made not in request.content.decode()
    for number, ws in enumerate(sockets(run, made, headers)):
        if as_bearer or number != 1:
            assert await ws.connect(10) == (True, "headway" if number == 0 else None)
            assert (await closing(ws))[0] == 4000 + status
    assert hub.watched == 0


async def test_a_token_of_another_kind_is_left_to_the_project(hub: Hub, ann: Login) -> None:
    run = await stored(events=1, finish=True, user=ann.user)
    headers = [(b"authorization", b"Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc"), ann.cookie]
    assert (await HttpStream(f"/tasks/{run.pk}/", headers=headers).open()).status == 200
    ws = await opened(socket(run.pk, headers=headers))
    assert (await envelopes(ws))[1] == CloseCode.FINISHED


async def test_each_action_has_grants_of_its_own(hub: Hub) -> None:
    run = await stored(events=1, status=RunStatus.READY)
    opens = {"view": (f"/tasks/{run.pk}/", "GET"), "stop": (f"/tasks/{run.pk}/stop/", "POST")}
    for action, (path, method) in opens.items():
        for other in grants.GRANTABLE:
            if other != action:
                request = HttpStream(path, headers=[bearer(grant(run, other))], method=method)
                assert (await request.open()).status == 403
        # Without a token against forgery: no foreign page has a grant.
        request = HttpStream(path, headers=[bearer(grant(run, action))], method=method)
        assert (await request.open()).status == (200 if method == "GET" else 202)
    for path in ("retry", "kill"):
        request = HttpStream(
            f"/tasks/{run.pk}/{path}/", headers=[bearer(grant(run, "view"))], method="POST"
        )
        assert (await request.open()).status == 403


async def test_nothing_is_enqueued_by_a_grant(hub: Hub, staff: Login) -> None:
    run = await stored()
    headers = [bearer(grant(run)), staff.cookie, *await csrf()]
    headers = [*headers, (b"content-type", b"application/json")]
    body = json.dumps({"task": "tests.consumers.calls.greet", "args": ["ann"]}).encode()
    assert (await HttpStream("/tasks/", headers=headers, method="POST").open(body)).status == 403
    assert await sync_to_async(TaskRun.objects.count)() == 1


async def test_a_grant_for_a_run_that_is_gone(hub: Hub) -> None:
    run = await stored()
    made = grant(run)
    await sync_to_async(TaskRun.objects.all().delete)()
    request = HttpStream(events_path(run.pk), headers=[bearer(made)])
    assert (await request.open()).status == 404


async def test_stopping_on_the_socket_takes_a_grant_of_its_own(hub: Hub) -> None:
    run = await stored(status=RunStatus.READY)
    ws = socket(run.pk, subprotocols=["headway", f"headway.grant.{grant(run)}"])
    await ws.connect(10)
    await ws.send_json_to({"op": "stop", "ref": 1})
    answer = json.loads(await text(ws))
    assert (answer["ref"], answer["error"]["code"]) == (1, "forbidden")
    await ws.send_json_to({"op": "grant", "grant": grant(run, "stop"), "ref": 2})
    assert json.loads(await text(ws)) == {
        "op": "grant",
        "ref": 2,
        "run": str(run.pk),
        "action": "stop",
        "ok": True,
    }
    await ws.send_json_to({"op": "stop", "ref": 3})
    answers = [json.loads(await text(ws))]
    while "op" not in answers[-1]:
        answers.append(json.loads(await text(ws)))
    assert answers[-1] == {"op": "stop", "ref": 3, "ok": True}
    await ws.disconnect()


async def test_a_bad_grant_on_an_open_socket_is_an_answer(hub: Hub) -> None:
    run = await stored()
    ws = socket(run.pk, subprotocols=[f"headway.grant.{grant(run)}"])
    assert await ws.connect(10) == (True, None)
    for how, (made, _, code) in (await spoilt(run)).items():
        if how != "other action":
            await ws.send_json_to({"op": "grant", "grant": made, "ref": how})
            answer = json.loads(await text(ws))
            assert (answer["op"], answer["ref"], answer["error"]["code"]) == ("grant", how, code)
    others: list[Any] = [None, 7, ["a"], {}]
    for nothing in others:
        await ws.send_json_to({"op": "grant", "grant": nothing})
        assert json.loads(await text(ws))["error"]["code"] == "bad_grant"
    await emit(run, 1, finish=True)
    assert (await envelopes(ws))[1] == CloseCode.FINISHED


async def test_many_runs_by_grants(hub: Hub) -> None:
    one, two = await stored(events=1), await stored(events=1)
    client = Client()
    client.ws = socket(PATH, subprotocols=["headway", f"headway.grant.{grant(one)}"])
    await client.ws.connect(10)
    assert (await client.ask("subscribe", run=one.pk))["ok"]
    assert (await client.hear())["seq"] == 1
    refusal = await client.ask("subscribe", run=two.pk)
    assert refusal["error"]["code"] == "forbidden"
    assert (await client.ask("grant", grant=grant(two)))["run"] == str(two.pk)
    assert (await client.ask("subscribe", run=two.pk))["ok"]
    assert (await client.hear())["run"] == str(two.pk)
    assert (await client.ask("grant", grant="x", ref=1))["error"]["code"] == "bad_grant"
    await client.leave()


async def test_a_user_is_given_grants_beside_their_rights(hub: Hub, ann: Login) -> None:
    mine, other = await stored(user=ann.user), await stored()
    client = await Client(headers=[ann.cookie]).open()
    assert (await client.ask("subscribe", run=other.pk))["error"]["code"] == "forbidden"
    assert (await client.ask("grant", grant=grant(other)))["ok"]
    assert (await client.ask("subscribe", run=other.pk))["ok"]
    assert (await client.ask("subscribe", run=mine.pk))["ok"]
    await client.leave()


async def test_a_socket_keeps_no_more_grants_than_it_may_have_runs(hub: Hub, settings: Any) -> None:
    settings.HEADWAY = {"SUBSCRIPTIONS": 1}
    runs = [await stored() for _ in range(4)]
    client = await Client().open()
    for run in [*runs[:3], runs[0]]:
        assert (await client.ask("grant", grant=grant(run)))["ok"]
    assert (await client.ask("grant", grant=grant(runs[3])))["error"]["code"] == "too_many"
    await client.leave()


async def test_a_bad_grant_closes_the_socket_of_many(hub: Hub) -> None:
    run = await stored()
    ws = socket(PATH, subprotocols=[f"headway.grant.{await expired(run)}"])
    assert await refused(ws) == CloseCode.NOT_AUTHENTICATED
