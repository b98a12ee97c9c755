"""What it costs to ask for rights again and again."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connections
from django.test.utils import CaptureQueriesContext

from consumers.access.admission import Admission
from consumers.access.auth import Action, admit
from consumers.access.rights import Rights
from consumers.access.visitor import Visitor
from consumers.feeds.hub import Hub
from tasks import grants
from tasks.models import TaskRun

from .conftest import RECHECK, Login, _login
from .rightsbench import Rule
from .rows import stored
from .streams import PATIENCE

pytestmark = pytest.mark.usefixtures("often")


async def stay(users: list[Login], runs: list[TaskRun]) -> list[Admission]:
    found = []
    for user in users:
        for run in runs:
            who = Visitor(lambda user=user: user.user, _session_of(user))  # type: ignore[misc]
            found.append((await admit(who, str(run.pk), Action.STREAM)).admission)
    return found


def _session_of(user: Login) -> Callable[[], Any]:
    from django.contrib.sessions.backends.db import SessionStore

    key = user.client.cookies["sessionid"].value
    return lambda: SessionStore(key)


@pytest.mark.parametrize("count", [1, 20])
async def test_as_many_queries_for_a_thousand_as_for_one(
    transactional_db: None, settings: Any, count: int
) -> None:
    rule = Rule()
    settings.HEADWAY |= {"AUTHZ": rule}
    users = [await _login(f"user {number}") for number in range(count)]
    runs = [await stored() for _ in range(count)]
    held = await stay(users, runs)
    for run in runs:
        grant = grants.read(grants.make(run.pk, "stream", 0, 60.0))
        held.append(Admission(None, grant, run.pk, Action.STREAM))
    rights, seen = Rights(), Counted()
    rule.asked = 0
    try:
        await seen.counting(rights._facts, lambda: rights._look(held))
        assert seen.count == 3  # users, sessions, grants
        await seen.counting(rights._rule, lambda: rights._ask(held))
        assert seen.count == 1  # runs
    finally:
        rights._facts.close()
        rights._rule.close()
    assert rule.asked == count**2


class Counted:
    """Queries of a thread of its own."""

    count = 0

    async def counting(self, thread: Any, act: Callable[[], Awaitable[Any]]) -> None:
        context: list[CaptureQueriesContext] = []

        def begin() -> None:
            connection = connections["default"]
            connection.ensure_connection()
            context.append(CaptureQueriesContext(connection).__enter__())

        await thread.call(begin)
        assert await act() == {}
        await thread.call(lambda: context[0].__exit__(None, None, None))
        self.count = len(context[0])


async def test_many_streams_of_a_user_on_a_run_are_one_question(
    transactional_db: None, settings: Any, ann: Login
) -> None:
    rule = Rule()
    settings.HEADWAY |= {"AUTHZ": rule}
    run = await stored()
    held = [*await stay([ann] * 50, [run])]
    held += [(await admit(AnonymousUser, str(run.pk), Action.STREAM)).admission for _ in range(50)]
    rights, rule.asked = Rights(), 0
    assert await rights._ask(held) == {}
    rights._rule.close()
    assert rule.asked == 2
    assert len({one.identity for one in held}) == 2


async def test_nothing_is_asked_while_nobody_watches(hub: Hub) -> None:
    await asyncio.sleep(RECHECK * 5)  # some rounds
    names = {thread.name for thread in threading.enumerate()}
    assert not {"headway-rights", "headway-authz"} & names


async def test_a_slow_rule_rests(settings: Any) -> None:
    """So that it takes a quarter of its thread, however many watch."""
    rights = Rights()
    began: list[float] = []
    loop = asyncio.get_running_loop()

    async def look(admissions: Any) -> dict[Any, Any]:
        began.append(loop.time())
        await asyncio.sleep(0.1)  # it takes so long
        return {}

    task = asyncio.create_task(rights._repeat("Trying", look, 0.25))
    async with asyncio.timeout(PATIENCE):
        while len(began) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # it is seen by its effect
    task.cancel()
    assert began[2] - began[1] >= 0.35
