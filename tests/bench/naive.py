"""The pattern of the tutorials: each WebSocket is a member of the run's group.

Every event is one ``group_send``, and every consumer encodes it for its client. The same
paths and events as Headway's, without storage, rights and replay; a lost event stays lost.
Run as ``daphne tests.bench.naive:application``, with ``REDIS_URL`` for a layer on Redis.
"""

import asyncio
import os
import uuid
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import channel_layers, get_channel_layer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels_redis.core import RedisChannelLayer
from django.conf import settings
from django.urls import path

from consumers.asgi import Receive, Scope, Send
from tests.bench.payload import TEXT, Pace

__all__ = ["application"]

settings.configure(
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
    SECRET_KEY=uuid.uuid4().hex,
)
if "REDIS_URL" in os.environ:
    # A capacity that loses nothing: what is measured is the cost of what arrives.
    channel_layers.set("default", RedisChannelLayer([os.environ["REDIS_URL"]], capacity=100_000))

producers: set[asyncio.Task[None]] = set()


def _event(run: str, seq: int, type_: str, data: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {"run": run, "seq": seq, "type": type_, "at": at, "data": data}


class Watcher(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        self.run = self.scope["url_route"]["kwargs"]["run"]
        await self.channel_layer.group_add(self.run, self.channel_name)
        await self.accept()
        for seq, type_ in ((1, "queued"), (2, "started")):
            await self.send_json(_event(self.run, seq, type_, None))

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.run, self.channel_name)

    async def run_event(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])
        if message["event"]["type"] == "finished":
            await self.close(1000)

    @classmethod
    async def encode_json(cls, content: Any) -> str:
        return (await super().encode_json(content)).replace('": ', '":').replace(', "', ',"')


async def _produce(run: str, count: int, rate: float) -> None:
    layer, pace = get_channel_layer(), Pace(rate)
    assert layer is not None
    for seq in range(3, count + 4):
        last = seq == count + 3
        data = {"status": "SUCCESSFUL"} if last else {"n": seq - 3, "text": TEXT}
        event = _event(run, seq, "finished" if last else "tick", data)
        await layer.group_send(run, {"type": "run.event", "event": event})
        await pace.next()


async def _page(scope: Scope, receive: Receive, send: Send) -> None:
    text = "naive"
    match scope["path"].strip("/").split("/"):
        case ["bench", "open"]:
            query = parse_qs(scope["query_string"].decode())
            text = f"{query['count'][0]}-{query['rate'][0]}-{uuid.uuid4().hex}"
        case ["bench", "go", run]:
            count, rate, _ = run.split("-")
            producers.add(asyncio.create_task(_produce(run, int(count), float(rate))))
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


application = ProtocolTypeRouter(
    {
        "http": _page,
        "websocket": URLRouter(cast(Any, [path("ws/tasks/<run>/", cast(Any, Watcher.as_asgi()))])),
    }
)
