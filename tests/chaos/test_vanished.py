"""Clients that go: with a word, without one, and those that only seem to be there."""

import asyncio
import ctypes
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.asgi_app.readers import masked, request
from tests.asgi_app.sockets import read_until
from tests.chaos.namespace import Namespace
from tests.chaos.service.client import enqueue, state
from tests.live import LiveServer
from tests.stacks import Serve, Show

pytestmark = pytest.mark.e2e

SOON = 2.0  # seconds, for who says goodbye
AT_LAST = 45.0  # seconds, for who does not
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


def watch(address: tuple[str, int], run_id: str) -> list[socket.socket]:
    """One client of each kind: a run and many, over event streams and WebSockets."""
    asked = [
        request(f"/tasks/{run_id}/events/"),
        request(f"/tasks/events/?run={run_id}"),
        request(f"/ws/tasks/{run_id}/", websocket=True),
        request("/ws/tasks/", websocket=True),
    ]
    clients = [socket.create_connection(address, timeout=20) for _ in asked]
    for client, text in zip(clients, asked, strict=True):
        client.sendall(text)
    read_until(clients[-1], b"\r\n\r\n")
    clients[-1].sendall(masked(b'{"op":"subscribe","run":"%s"}' % run_id.encode()))
    for client in clients:
        read_until(client, b'"type":"resting"')
    return clients


async def gone(server: LiveServer, within: float) -> float:
    """Wait until the server has let go of all of them; the seconds that took."""
    began = time.monotonic()
    while (now := state(server)).streams or now.feeds or now.bundles:
        assert time.monotonic() - began < within, now
        await asyncio.sleep(within / 100)  # it is another process's event
    return time.monotonic() - began


@pytest.mark.parametrize("how", ["closed", "half closed", "reset"])
async def test_clean_closes(serve: Serve, show: Show, tmp_path: Path, how: str) -> None:
    server = serve().start()
    run_id = enqueue(server, "rest", str(tmp_path / "marks"), 3600)
    clients = await asyncio.to_thread(watch, ("127.0.0.1", server.port), run_id)
    now = state(server)
    assert (now.bundles, now.streams, now.watchers) == (2, 4, 2)
    for client in clients:
        if how == "half closed":
            client.shutdown(socket.SHUT_WR)
        elif how == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if how != "half closed":
            client.close()
    show(f"{how}: after {await gone(server, SOON):.2f} s")
    for client in clients:
        client.close()


async def test_who_cannot_wait_for_the_handshake(serve: Serve, show: Show) -> None:
    """Frames in the same breath: they are lost, but not the word that the client has gone."""
    server = serve().start()
    clients = []
    for _ in range(20):
        client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(request("/ws/tasks/", websocket=True))
        for _ in range(3):
            client.sendall(masked(b'{"op":"ping"}' + b" " * 20_000))
        clients.append(client)
    for client in clients:
        read_until(client, b" 101 ")
        client.close()
    show(f"after {await gone(server, SOON):.2f} s")


async def test_a_websocket_that_answers_no_ping(serve: Serve, show: Show, tmp_path: Path) -> None:
    """As one behind a proxy that is there and whose client is not."""
    server = serve()
    server.arguments = ("--ping-interval", "2")
    server.start()
    run_id = enqueue(server, "rest", str(tmp_path / "marks"), 3600)
    clients = await asyncio.to_thread(watch, ("127.0.0.1", server.port), run_id)
    for client in clients[:2]:
        client.close()
    # With daphne's own timeout of 30 seconds it would take that long.
    show(f"after {await gone(server, 20):.1f} s")
    for client in clients:
        client.close()


class Open(LiveServer):
    """Listens on every address, with daphne's own defaults."""

    def command(self) -> list[str]:
        return ["0.0.0.0" if word == "127.0.0.1" else word for word in super().command()]


@contextmanager
def inside(namespace: Namespace) -> Iterator[ThreadPoolExecutor]:
    """A thread whose sockets are those of the namespace."""

    def enter() -> None:
        with open(f"/run/netns/{namespace.name}") as file:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(file.fileno(), _NEW_NETWORK):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    with ThreadPoolExecutor(1, initializer=enter) as thread:
        yield thread


@pytest.mark.soak  # it needs root
@pytest.mark.timeout(180)
async def test_packets_that_vanish(serve: Serve, show: Show, tmp_path: Path) -> None:
    """Everything as it is by default: daphne's command line, and Headway's settings."""
    made = serve(poll=0.5)
    with ExitStack() as ways:
        namespace = ways.enter_context(Namespace())
        server = ways.enter_context(Open(made.folder, made.env, stack=made.stack))
        thread = ways.enter_context(inside(namespace))
        server.start()
        run_id = enqueue(server, "rest", str(tmp_path / "marks"), 3600)
        watching = thread.submit(watch, (namespace.host, server.port), run_id)
        clients = await asyncio.wrap_future(watching)
        assert state(server).streams == len(clients)

        namespace.cut()

        show(f"all are gone after {await gone(server, AT_LAST):.1f} s")
        for client in clients:
            client.close()
        assert "Traceback" not in server.output
