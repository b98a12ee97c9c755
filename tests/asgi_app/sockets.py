"""Bare connections to a live server: what comes, and how it ends, byte by byte."""

import socket
import time

from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as websocket_connect
from websockets.typing import Origin

from tests.live import LiveServer

__all__ = ["connect", "connect_websocket", "read_all", "read_to", "read_until", "refuses"]


def connect(server: LiveServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def connect_websocket(server: LiveServer, run_id: str) -> ClientConnection:
    return websocket_connect(f"{server.ws_url}/ws/tasks/{run_id}/", origin=Origin(server.url))


def refuses(server: LiveServer, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            connect(server).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.02)  # not to fill the backlog
    return False


def read_until(connection: socket.socket, text: bytes) -> bytes:
    """Read until *text* has come; fails at the end of the connection."""
    got = b""
    while text not in got:
        chunk = connection.recv(4096)
        assert chunk, got
        got += chunk
    return got


def read_all(connection: socket.socket) -> bytes:
    got = bytearray()
    while chunk := connection.recv(65_536):
        got += chunk
    return bytes(got)


def read_to(connection: socket.socket, end: bytes) -> bytes:
    """Read until what has come ends like this."""
    got = bytearray()
    while not got.endswith(end):
        piece = connection.recv(262_144)
        assert piece, got[-80:]
        got += piece
    return bytes(got)
