"""Somebody in front of a browser: logs in, posts, and watches runs with its cookies."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.live import LiveServer

__all__ = ["Envelope", "Visitor", "until"]

PATIENCE = 20.0  # seconds for the next byte, event or answer

Envelope = dict[str, Any]


class Visitor:
    """Within its context, logged in if *login* says so: the form's path, name, password."""

    def __init__(self, server: LiveServer, login: tuple[str, str, str] | None = None) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.url, timeout=PATIENCE)
        self._login = login

    def __enter__(self) -> Self:
        if self._login is not None:
            try:
                self._log_in(*self._login)
            except BaseException:
                self.http.close()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    def _log_in(self, path: str, name: str, password: str) -> None:
        assert self.http.get(path).status_code == 200
        token = self.http.cookies["csrftoken"]
        form = {"username": name, "password": password, "csrfmiddlewaretoken": token}
        answer = self.http.post(path, data=form)
        assert answer.status_code == 302, answer.text

    def post(self, path: str, content: str = "") -> Any:
        """What the view answers, which has to be a success, in JSON."""
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"]}
        answer = self.http.post(path, content=content, headers=headers)
        assert answer.is_success, f"{answer.status_code}\n{answer.text}"
        return answer.json()

    @contextmanager
    def stream(self, path: str) -> Iterator[tuple[httpx.Response, Iterator[Envelope]]]:
        """The response to an EventSource, and its events as they come."""
        headers = {"Accept": "text/event-stream"}
        with self.http.stream("GET", path, headers=headers) as response:
            yield response, _envelopes(response)

    @contextmanager
    def socket(self, path: str) -> Iterator[ClientConnection]:
        """A WebSocket, opened as by a page of this server."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)
        with connect(
            f"{self.server.ws_url}{path}",
            origin=Origin(self.server.url),
            additional_headers={"Cookie": cookies},
            open_timeout=PATIENCE,
        ) as socket:
            yield socket

    def frames(self, socket: ClientConnection) -> Iterator[Envelope]:
        """Its messages as they come, until it is closed."""
        while True:
            try:
                text = socket.recv(timeout=PATIENCE)
            except ConnectionClosed:
                return
            yield json.loads(text)


def until(events: Iterator[Envelope], type_: str) -> list[Envelope]:
    """The events up to the first of this type, waiting for them."""
    seen: list[Envelope] = []
    for event in events:
        seen.append(event)
        if event["type"] == type_:
            return seen
    raise AssertionError(f"no {type_!r} came, but {[event['type'] for event in seen]}")


def _envelopes(response: httpx.Response) -> Iterator[Envelope]:
    """Checks that the fields of each event say what its envelope says."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        fields[name] = value
        if not line:
            if "data" in fields:
                envelope = json.loads(fields["data"])
                assert (fields["id"], fields["event"]) == (str(envelope["seq"]), envelope["type"])
                yield envelope
            fields = {}
