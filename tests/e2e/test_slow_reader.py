"""A client that takes its time gets all of it, and then a proper end."""

import asyncio
import json
import socket

import pytest
from websockets.asyncio.client import connect

from tests.chaos.service.client import enqueue
from tests.ledger import Ledger
from tests.stacks import Serve
from tests.watchers import StreamWatcher, exactly, watching

pytestmark = pytest.mark.e2e

EVENTS, SIZE = 1500, 8_000  # far more than the kernel's buffers hold


async def test_a_slow_websocket_is_not_cut_off(serve: Serve, ledger: Ledger) -> None:
    server = serve().start()
    run_id = enqueue(server, "emit_large", EVENTS, SIZE)
    quick = StreamWatcher(server.port, run_id)
    async with watching([quick]):
        pass
    exactly([quick], ledger)
    seqs = []
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        narrow.connect(("127.0.0.1", server.port))
        narrow.setblocking(False)
        url = f"ws://127.0.0.1:{server.port}/ws/tasks/{run_id}/?batch=1"
        async with connect(url, sock=narrow, max_size=None, max_queue=1) as client:
            await asyncio.sleep(2.5)  # longer than autobahn waits for a close by itself
            async for message in client:  # raises unless it is closed in order
                seqs += [json.loads(line)["seq"] for line in message.splitlines()]
    assert seqs == list(range(1, EVENTS + 4))
