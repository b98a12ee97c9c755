"""Who may do what: default deny, and only True allows."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from consumers.access.auth import Action, admit, allows, default_rule
from consumers.access.rule import is_yes
from consumers.feeds.hub import Hub
from consumers.refusal import Refusal
from consumers.wire import CloseCode
from tasks.models import TaskRun

from ..bundleclient import Client
from ..conftest import Login
from ..connections import HttpStream, events_path, socket
from ..rows import stored
from ..runsocket import refused


def reach(run: TaskRun, headers: Any) -> list[HttpStream]:
    """Everything over HTTP that looks at a run."""
    return [
        HttpStream(f"/tasks/{run.pk}/", headers=headers),
        HttpStream(events_path(run.pk), headers=headers),
        HttpStream(events_path(run.pk), headers=[*headers, (b"accept", b"application/json")]),
        HttpStream(events_path(run.pk), "after=latest", headers=headers),
    ]


async def test_anonymous_nothing(hub: Hub, ann: Login) -> None:
    for run in (await stored(), await stored(user=ann.user)):
        for request in reach(run, []):
            assert (await request.open()).status == 401
            assert request.json["error"]["code"] == "not_authenticated"
        assert await refused(socket(run.pk)) == CloseCode.NOT_AUTHENTICATED


async def test_a_user_their_own(hub: Hub, ann: Login, bob: Login) -> None:
    run = await stored(events=1, finish=True, user=ann.user)
    for request in reach(run, [ann.cookie]):
        assert (await request.open()).status == 200
        if not request.content:
            await request.body()
    for request in reach(run, [bob.cookie]):
        assert (await request.open()).status == 403
        assert request.json["error"]["code"] == "forbidden"
    assert await refused(socket(run.pk, headers=[bob.cookie])) == CloseCode.FORBIDDEN


async def test_nobodys_run_is_not_everybodys(hub: Hub, bob: Login) -> None:
    run = await stored()
    for request in reach(run, [bob.cookie]):
        assert (await request.open()).status == 403


async def test_staff_everything(hub: Hub, ann: Login, staff: Login) -> None:
    run = await stored(events=1, finish=True, user=ann.user)
    for request in reach(run, [staff.cookie]):
        assert (await request.open()).status == 200
        if not request.content:
            await request.body()


@pytest.mark.parametrize("cookie", [b"sessionid=forged", b"sessionid=", b"\xff=\xfe;;;", b"a"])
async def test_a_forged_session_is_nobodys(hub: Hub, cookie: bytes) -> None:
    run = await stored()
    for request in reach(run, [(b"cookie", cookie)]):
        assert (await request.open()).status == 401
    ws = socket(run.pk, headers=[(b"cookie", cookie)])
    assert await refused(ws) == CloseCode.NOT_AUTHENTICATED


async def test_staff_alone_may_enqueue_by_default(staff: Login, ann: Login) -> None:
    run = TaskRun(task="x")
    assert default_rule(staff.user, run, Action.ENQUEUE)
    assert not default_rule(ann.user, run, Action.ENQUEUE)
    assert not default_rule(AnonymousUser(), run, Action.ENQUEUE)


class NoUserYet:
    """An unsaved user: its key is None, as is the owner of nobody's run."""

    is_authenticated = True
    pk = None


def test_no_key_is_nobodys_key() -> None:
    user: Any = NoUserYet()
    assert not default_rule(user, TaskRun(task="x"), Action.VIEW)


async def yes(user: Any, run: TaskRun, action: str) -> bool:
    return True


async def no(user: Any, run: TaskRun, action: str) -> bool:
    return False


async def broken(user: Any, run: TaskRun, action: str) -> bool:
    raise LookupError("secret-token")


async def silent(user: Any, run: TaskRun, action: str) -> bool:
    await asyncio.Event().wait()
    return True


def broken_sync(user: Any, run: TaskRun, action: str) -> bool:
    raise LookupError("secret-token")


class Careful:
    """A callable whose call is a coroutine function: not one that inspect would tell."""

    async def __call__(self, user: Any, run: TaskRun, action: str) -> bool:
        return action == "view"


def queries(user: Any, run: TaskRun, action: str) -> bool:
    return TaskRun.objects.filter(pk=run.pk).exists()


ALLOWING: list[Any] = [yes, lambda *_: True, Careful(), queries, f"{__name__}.yes"]
DENYING: list[Any] = [
    no,
    lambda *_: False,
    lambda *_: None,
    lambda *_: 1,
    lambda *_: "yes",
    lambda *_: object(),
    lambda *_: [True],
    lambda user, run, action: TaskRun.objects.all(),
    lambda *_: no,
    broken,
    broken_sync,
    lambda: True,  # cannot be called so
    f"{__name__}.no",
    f"{__name__}.missing",
    "no.such.module",
]


@pytest.mark.parametrize("rule", ALLOWING)
async def test_allowing(transactional_db: None, settings: Any, rule: Any) -> None:
    settings.HEADWAY = {"AUTHZ": rule}
    run = await stored()
    assert (await admit(AnonymousUser, str(run.pk), Action.VIEW)).run == run
    assert await allows(AnonymousUser(), run, Action.VIEW)


@pytest.mark.parametrize("rule", DENYING)
async def test_denying(transactional_db: None, settings: Any, rule: Any) -> None:
    settings.HEADWAY = {"AUTHZ": rule}
    run = await stored()
    with pytest.raises(Refusal) as caught:
        await admit(AnonymousUser, str(run.pk), Action.VIEW)
    assert caught.value.status == 401
    assert "secret" not in caught.value.message
    assert not await allows(AnonymousUser(), run, Action.VIEW)


async def test_a_rule_that_never_answers_denies(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{is_yes.__module__}._LONGEST", 0.01)
    settings.HEADWAY = {"AUTHZ": silent}
    assert not await allows(AnonymousUser(), await stored(), Action.VIEW)


async def truthy(user: Any, run: TaskRun, action: str) -> Any:
    return 1


async def truthy_later(user: Any, run: TaskRun, action: str) -> Any:
    return truthy  # a function, which it forgot to call


@pytest.mark.parametrize("rule", [no, broken, broken_sync, truthy, truthy_later])
async def test_every_way_in_is_denied(hub: Hub, settings: Any, ann: Login, rule: Any) -> None:
    settings.HEADWAY = {"AUTHZ": rule}
    run = await stored(events=1, finish=True, user=ann.user)
    for request in reach(run, [ann.cookie]):
        assert (await request.open()).status == 403
    several = HttpStream("/tasks/events/", f"run={run.pk}", headers=[ann.cookie])
    assert (await several.open()).status == 403
    assert await refused(socket(run.pk, headers=[ann.cookie])) == CloseCode.FORBIDDEN
    client = await Client(headers=[ann.cookie]).open()
    answer = await client.ask("subscribe", run=run.pk)
    assert (answer["op"], answer["error"]["code"]) == ("subscribe", "forbidden")
    await client.ws.disconnect(timeout=10)


@pytest.mark.parametrize("rule", [broken, broken_sync])
async def test_a_broken_rule_denies_and_says_so(
    hub: Hub, settings: Any, caplog: pytest.LogCaptureFixture, rule: Callable[..., Any]
) -> None:
    settings.HEADWAY = {"AUTHZ": rule}
    run = await stored()
    stream = await HttpStream(events_path(run.pk)).open()
    assert stream.status == 401
    assert b"secret" not in stream.content
    assert "headway.auth" in {record.name for record in caplog.records}


async def test_the_rule_is_told_who_what_and_which(
    hub: Hub, settings: Any, ann: Login, client: Any
) -> None:
    asked: list[tuple[Any, Any, Any]] = []

    def rule(user: Any, run: TaskRun, action: str) -> bool:
        asked.append((user.pk, run.pk, action))
        return False

    settings.HEADWAY = {"AUTHZ": rule}
    run = await stored()
    for request in reach(run, [ann.cookie])[:2]:
        await request.open()
    await refused(socket(run.pk, headers=[ann.cookie]))
    for path in ("stop", "kill", "retry"):
        await ann.client.post(f"/tasks/{run.pk}/{path}/")
    me, it = ann.user.pk, run.pk
    assert asked == [
        (me, it, "view"),
        (me, it, "stream"),
        (me, it, "stream"),
        (me, it, "stop"),
        (me, it, "stop"),
        (me, it, "enqueue"),
    ]
