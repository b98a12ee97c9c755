"""Rights that AUTHZ takes back while somebody watches."""

import asyncio
import threading
from typing import Any

import pytest
from django.db import OperationalError

from consumers.feeds.hub import Hub
from consumers.wire import CloseCode
from tasks.models import TaskRun

from ..conftest import RECHECK, Login
from ..connections import PATIENCE
from ..rows import stored
from .rightsbench import Rule, Watching, log_out

pytestmark = pytest.mark.usefixtures("often")


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("answer", [False, None, LookupError("told to")])
async def test_a_changed_answer(hub: Hub, settings: Any, kind: str, answer: Any) -> None:
    rule = Rule()
    settings.HEADWAY |= {"AUTHZ": rule if kind == "sync" else rule.asynchronous}
    run = await stored()
    watching = await Watching(run, []).open()
    rule.answer = answer
    await watching.ended(CloseCode.NOT_AUTHENTICATED, "not_authenticated")
    assert watching.socket_stays
    await watching.sockets.leave()
    # What queries has the thread that is there for it, of async rules as well.
    assert "headway-authz" in rule.threads


async def test_an_outage_is_no_answer(hub: Hub, settings: Any) -> None:
    rule = Rule()
    settings.HEADWAY |= {"AUTHZ": rule}
    run = await stored()
    watching = await Watching(run, []).open()
    asked, rule.answer = rule.asked, OperationalError("the server is away")
    while rule.asked < asked + 3:  # noqa: ASYNC110
        await asyncio.sleep(RECHECK)  # it is a thread's event
    rule.answer = True
    await watching.reach(2)
    rule.answer = False
    await watching.ended(CloseCode.NOT_AUTHENTICATED, "not_authenticated")
    await watching.sockets.leave()


async def test_a_rule_that_hangs_holds_up_itself_alone(hub: Hub, settings: Any, ann: Login) -> None:
    entered, leave = threading.Event(), threading.Event()

    def rule(user: Any, run: TaskRun, action: str) -> bool:
        if threading.current_thread().name == "headway-authz":
            entered.set()
            leave.wait(PATIENCE)
        return True

    settings.HEADWAY |= {"AUTHZ": rule}
    run = await stored(user=ann.user)
    watching = await Watching(run, [ann.cookie]).open()
    await asyncio.to_thread(entered.wait, PATIENCE)
    try:
        await watching.reach(2)
        await log_out(ann)
        await watching.ended(CloseCode.NOT_AUTHENTICATED, "not_authenticated")
    finally:
        leave.set()
