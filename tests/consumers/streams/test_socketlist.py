"""Lists of runs on a WebSocket, beside subscriptions."""

from typing import Any

import pytest

from consumers.feeds.hub import Hub
from tests.app import tasks as app
from tests.listing import Listing

from ..bundleclient import Client
from ..conftest import Login
from ..connections import PATIENCE
from ..loops import settle
from ..rows import emit, stored
from .listpage import end, enqueue

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def quick(settings: Any) -> None:
    """Nobody publishes here."""
    settings.HEADWAY = {"AUTHZ": lambda user, run, action: True, "RECONCILE": 0.05}


async def whole(client: Client, listing: Listing, ref: Any = None) -> dict[str, dict[str, Any]]:
    """Hear what belongs to the list until it is whole."""
    while (said := await client.hear()).get("op") != "listed":
        listing.hear("listing" if said.get("op") == "listing" else said["type"], said)
    assert said.get("ref") == ref
    listing.place(said["after"])
    return listing.known


async def test_a_list_and_what_changes(hub: Hub) -> None:
    one, two = await enqueue(), await enqueue()
    client, listing = await Client().open(), Listing()
    assert await client.ask("list", ref=1) == {"op": "list", "ref": 1, "ok": True}
    assert list(await whole(client, listing, 1)) == [two.id, one.id]
    await end(one)
    await whole(client, listing, 1)
    assert listing.statuses == {one.id: "CANCELLED", two.id: "READY"}
    assert await client.ask("unlist", ref=2) == {"op": "unlist", "ref": 2, "ok": True}
    assert hub.lists.watchers == set()
    await end(two)
    assert await client.ask("ping") == {"op": "pong"}
    await client.say("list", after=listing.after)
    assert (await client.hear())["ok"]
    assert (await whole(client, listing))[two.id]["status"] == "CANCELLED"
    assert listing.begun == [True, False]
    await client.leave()
    await settle()
    assert hub.lists.watchers == set()


async def test_filters_and_a_subscription_beside(hub: Hub) -> None:
    mail = app.add.using(queue_name="mail", metadata={"shop": 7})
    one = await enqueue(mail)
    await enqueue()
    run = await stored()
    client, listing = await Client().open(), Listing()
    await client.ask("subscribe", run=run.pk)
    given = {"queue": ["mail", "other"], "task": app.add.module_path, "meta": {"shop": [7, 8]}}
    assert (await client.ask("list", **given))["ok"]
    assert list(await whole(client, listing)) == [one.id]
    await emit(run, 2)
    assert await client.events((run, 2)) == {run.pk: [1, 2]}
    await end(one)
    assert (await whole(client, listing))[one.id]["status"] == "CANCELLED"
    await client.leave()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"status": "DONE"}, "bad_request"),
        ({"status": 3}, "bad_request"),
        ({"queue": [3]}, "bad_request"),
        ({"task": {}}, "bad_request"),
        ({"meta": []}, "bad_request"),
        ({"meta": {"a": None}}, "bad_request"),
        ({"meta": {"a": [[]]}}, "bad_request"),
        ({"meta": {"a b": 1}}, "bad_request"),
        ({"limit": True}, "bad_request"),
        ({"limit": 1e9}, "bad_request"),
        ({"after": 7}, "bad_cursor"),
        ({"after": "latest"}, "bad_cursor"),
    ],
)
async def test_a_refusal_ends_nothing(hub: Hub, command: dict[str, Any], code: str) -> None:
    client, listing = await Client().open(), Listing()
    answer = await client.ask("list", ref="x", **command)
    assert (answer["op"], answer["ref"], answer["error"]["code"]) == ("list", "x", code)
    assert (await client.ask("unlist"))["error"]["code"] == "not_listed"
    assert (await client.ask("list"))["ok"]
    await whole(client, listing)
    assert (await client.ask("list"))["error"]["code"] == "listed"
    await client.leave()


async def test_several_in_a_frame(hub: Hub) -> None:
    one, two = await enqueue(), await enqueue()
    client = await Client("batch=1").open()
    await client.say("list")
    text = ""
    while '"listed"' not in text:
        text += (await client.ws.receive_output(PATIENCE))["text"] + "\n"
    lines = text.strip().split("\n")
    assert [one.id in line or two.id in line for line in lines[2:4]] == [True, True]
    await client.leave()


async def test_by_default_everybody_sees_their_own(hub: Hub, ann: Login, settings: Any) -> None:
    settings.HEADWAY = {}
    hers = await enqueue(app.add.using(user=ann.user))
    await enqueue()
    client, listing = await Client(headers=[ann.cookie]).open(), Listing()
    assert (await client.ask("list"))["ok"]
    assert list(await whole(client, listing)) == [hers.id]
    await client.leave()
    stranger = await Client().open()
    assert (await stranger.ask("list"))["error"]["code"] == "not_authenticated"
    await stranger.leave()


async def test_going_away(hub: Hub) -> None:
    client, listing = await Client().open(), Listing()
    assert (await client.ask("list"))["ok"]
    await whole(client, listing)
    hub.close()
    said = await client.ws.receive_output(PATIENCE)
    while said["type"] == "websocket.send":
        said = await client.ws.receive_output(PATIENCE)
    assert said["code"] == 4012
    assert hub.lists.watchers == set()


async def test_a_list_that_cannot_be_read_says_so(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("told to")

    monkeypatch.setattr(hub.lists.runs, "plan", broken)
    client = await Client().open()
    assert (await client.ask("list", ref=5))["ok"]
    said = await client.hear()
    assert (said["op"], said["ref"], said["error"]["code"]) == ("unlist", 5, "unavailable")
    assert "cannot be read" in caplog.text
    monkeypatch.undo()
    assert (await client.ask("list"))["ok"]
    await whole(client, Listing())
    await client.leave()
