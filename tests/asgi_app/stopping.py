"""What the tests of stopping servers share."""

import signal
import time

import httpx

from tests.live import LiveServer, Server

__all__ = ["ALLOWANCE", "CODES", "SERVICE", "enqueue", "stop"]

ALLOWANCE = 2.0  # seconds after the grace period within which the process is gone
SERVICE = {
    "HEADWAY_APPS": "tests.asgi_app.service",
    "HEADWAY_AUTHZ": "tests.asgi_app.service.authz.everybody",
}
# uvicorn ends with the signal that it was sent, once it has shut down in order.
CODES: dict[Server, tuple[int, ...]] = {
    "daphne": (0,),
    "worker": (0,),
    "runserver": (0,),
    "uvicorn": (0, -signal.SIGTERM, -signal.SIGINT),
}


def stop(server: LiveServer, grace: float, number: int = signal.SIGTERM) -> float:
    """Send the signal and expect an orderly end in time; the seconds it took."""
    began = time.monotonic()
    server.signal(number)
    code = server.wait()
    took = time.monotonic() - began
    assert code in CODES[server.server], server.output
    assert took <= grace + ALLOWANCE, server.output
    return took


def enqueue(server: LiveServer, name: str, seconds: float) -> str:
    """Enqueue a task of the service app and wait until it is under way."""
    answer = httpx.get(f"{server.url}/enqueue/{name}/{seconds}/", timeout=20)
    server.wait_line("task begun")
    return answer.raise_for_status().text
