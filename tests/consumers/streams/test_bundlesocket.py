"""Many runs on one WebSocket, through the real routing, login and hub."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from consumers.feeds.hub import Hub
from consumers.wire import CloseCode
from tasks.models import TaskRun

from ..bundleclient import Client
from ..conftest import Login
from ..fakes import envelope_of, seqs
from ..loops import settle
from ..rows import emit, stored

pytestmark = pytest.mark.usefixtures("anyone")


async def test_runs_from_their_first_event_to_their_last(hub: Hub) -> None:
    one, two = await stored(events=3), await stored()
    client = await Client().open()
    assert await client.ask("subscribe", run=one.pk, ref=1) == {
        "op": "subscribe",
        "ref": 1,
        "run": str(one.pk),
        "ok": True,
        "after": 0,
    }
    assert await client.events((one, 3)) == {one.pk: [1, 2, 3]}
    assert (await client.ask("subscribe", run=two.pk, ref="b"))["ok"]
    await emit(two, 2)
    assert await client.events((two, 2)) == {two.pk: [1, 2]}
    await emit(one, 1, finish=True)
    assert (await client.hear())["type"] == "finished"
    ended = {"op": "ended", "run": str(one.pk), "after": 4, "ref": 1}
    assert await client.hear() == ended
    await emit(two, 1)
    assert await client.events((two, 1)) == {two.pk: [3]}
    assert hub.watched == 1
    await client.leave()
    assert hub.watched == 0


@pytest.mark.parametrize(("after", "expected"), [(2, [3, 4]), (None, [1, 2, 3, 4]), (4, [])])
async def test_a_cursor(hub: Hub, after: int | None, expected: list[int]) -> None:
    run = await stored(events=4, finish=True)
    client = await Client().open()
    answer = await client.ask("subscribe", run=run.pk, after=after)
    assert (answer["ok"], answer["after"]) == (True, after or 0)
    assert await client.events((run, len(expected))) == {run.pk: expected}
    assert await client.hear() == {"op": "ended", "run": str(run.pk), "after": 4}
    # It has ended, and can be had again.
    assert (await client.ask("subscribe", run=run.pk, after=3))["ok"]
    await client.leave()


async def test_latest(hub: Hub) -> None:
    run = await stored(events=400)
    client = await Client().open()
    answer = await client.ask("subscribe", run=run.pk, after="latest")
    assert answer["after"] == 400
    snapshot = await client.hear()
    assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 400)
    assert snapshot["data"]["text"] is None
    await emit(run, 1)
    assert await client.events((run, 1)) == {run.pk: [401]}
    await client.leave()


async def test_unsubscribing_and_subscribing_again(hub: Hub) -> None:
    run, other = await stored(events=2), await stored()
    client = await Client().open()
    await client.ask("subscribe", run=other.pk)
    await client.ask("subscribe", run=run.pk)
    await client.events((run, 2))
    answer = await client.ask("unsubscribe", run=run.pk, ref=7)
    assert answer == {"op": "unsubscribe", "ref": 7, "run": str(run.pk), "ok": True}
    assert hub.watched == 1
    await emit(run, 3)
    await emit(other, 1)
    assert await client.events((other, 1)) == {other.pk: [1]}
    await client.ask("subscribe", run=run.pk, after=1)
    assert await client.events((run, 4)) == {run.pk: [2, 3, 4, 5]}
    await client.leave()


async def test_an_old_subscription_ends_before_the_answer(hub: Hub) -> None:
    """Said at once, with a log so long that it is under way meanwhile."""
    run = await stored(events=2_000)
    client = await Client().open()
    await client.say("subscribe", run=run.pk, ref="old")
    await client.say("unsubscribe", run=run.pk, ref="end")
    await client.say("subscribe", run=run.pk, ref="new", after=1_500)
    await emit(run, 1, finish=True)
    heard: dict[str, list[int]] = {}
    while (frame := await client.hear()).get("op") != "ended":
        if "op" in frame:
            ref = frame["ref"]
            heard[ref] = []
        else:
            heard[ref].append(frame["seq"])
    assert heard["old"] == seqs(1, len(heard["old"]))
    assert heard["end"] == []
    assert heard["new"] == seqs(1_501, 2_001)
    assert frame["ref"] == "new"
    await client.leave()


async def test_too_many(hub: Hub, settings: Any) -> None:
    settings.HEADWAY |= {"SUBSCRIPTIONS": 2}
    runs = [await stored() for _ in range(3)]
    client = await Client().open()
    for run in runs[:2]:
        assert (await client.ask("subscribe", run=run.pk))["ok"]
    refused = await client.ask("subscribe", run=runs[2].pk, ref=1)
    assert (refused["ref"], refused["error"]["code"]) == (1, "too_many")
    assert hub.watched == 2
    await client.ask("unsubscribe", run=runs[0].pk)
    assert (await client.ask("subscribe", run=runs[2].pk))["ok"]
    await client.leave()


async def test_an_ended_subscription_counts_no_more(hub: Hub, settings: Any) -> None:
    settings.HEADWAY |= {"SUBSCRIPTIONS": 1}
    client = await Client().open()
    for _ in range(3):
        run = await stored(events=1, finish=True)
        assert (await client.ask("subscribe", run=run.pk))["ok"]
        await client.events((run, 1))
        assert (await client.hear())["op"] == "ended"
    await client.leave()


async def test_rights_are_those_of_each_run(hub: Hub, settings: Any, ann: Login) -> None:
    settings.HEADWAY = {}
    hers, his = await stored(user=ann.user), await stored()
    client = await Client(headers=[ann.cookie]).open()
    assert (await client.ask("subscribe", run=hers.pk))["ok"]
    assert (await client.ask("subscribe", run=his.pk))["error"]["code"] == "forbidden"
    assert (await client.ask("stop", run=his.pk))["error"]["code"] == "forbidden"
    stranger = await Client().open()
    answer = await stranger.ask("subscribe", run=hers.pk)
    assert answer["error"]["code"] == "not_authenticated"
    await client.leave()
    await stranger.leave()


async def test_a_flood_leaves_the_others_their_turn(hub: Hub) -> None:
    flood, other = await stored(events=5_000, finish=True), await stored()
    client = await Client().open()
    await client.ask("subscribe", run=other.pk)
    await client.ask("subscribe", run=flood.pk)
    # Heard at once: a commit may take a busy database as long as all of the flood.
    hub._feeds[str(other.pk)].offer(1, [envelope_of(other.pk, 1)])
    before = 0
    while (await client.hear()).get("run") == str(flood.pk):
        before += 1
    assert before <= 3 * 512
    await client.leave()


async def test_a_deleted_run_ends_its_subscription_only(hub: Hub) -> None:
    run, other = await stored(events=1), await stored()
    client = await Client().open()
    await client.ask("subscribe", run=other.pk)
    await client.ask("subscribe", run=run.pk, ref=1)
    await client.events((run, 1))
    await sync_to_async(TaskRun.objects.filter(pk=run.pk).delete)()
    ended = await client.hear()
    assert (ended["op"], ended["ref"], ended["after"]) == ("ended", 1, 1)
    assert ended["error"]["code"] == "gone"
    await emit(other, 1)
    assert await client.events((other, 1)) == {other.pk: [1]}
    await client.leave()


@pytest.mark.parametrize("subscribed", [0, 3])
async def test_going_away(hub: Hub, subscribed: int) -> None:
    client = await Client().open()
    for _ in range(subscribed):
        await client.ask("subscribe", run=(await stored()).pk)
    await client.ask("ping")
    hub.close()
    assert await client.closed() == CloseCode.GOING_AWAY
    assert hub.watched == 0
    late = await Client().open()
    assert await late.closed() == CloseCode.GOING_AWAY


async def test_without_a_hub_the_client_comes_again(transactional_db: None) -> None:
    client = await Client().open()
    assert await client.closed() == CloseCode.GOING_AWAY


async def test_many_subscriptions_cost_no_task(hub: Hub) -> None:
    client = await Client().open()
    await client.ask("ping")
    before = asyncio.all_tasks()
    runs = [await stored() for _ in range(200)]
    for run in runs:
        assert (await client.ask("subscribe", run=run.pk))["ok"]
    await settle()
    # A client of Redis's has short ones, of which one may have been among them before.
    assert asyncio.all_tasks() <= before
    for run in runs:
        await emit(run, 1)
    assert await client.events(*((run, 1) for run in runs)) == {run.pk: [1] for run in runs}
    await client.leave()
    assert (hub.watched, hub.bundles) == (0, set())
    await settle()
    assert len(asyncio.all_tasks()) < len(before)
