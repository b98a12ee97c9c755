from typing import Any

import pytest

from asgi_app.static import CHUNK, StaticFiles
from consumers.asgi import Receive, Scope, Send
from tests.asgi_app.fakes import Connection

STYLES = "/static/admin/css/base.css"


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body"})


class Answer:
    def __init__(self, start: Any, body: bytes) -> None:
        self.status: int = start["status"]
        self.headers: dict[bytes, bytes] = dict(start["headers"])
        self.body = body


async def ask(path: str, method: str = "GET", **headers: str) -> Answer:
    pairs = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": pairs}
    connection = Connection(StaticFiles(inner), scope)
    start, body, more = await connection.receive(), b"", True
    while more:
        message = await connection.receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await connection.ended()
    return Answer(start, body)


async def test_a_file_is_served() -> None:
    answer = await ask(STYLES)

    assert answer.status == 200
    assert answer.headers[b"content-type"] == b"text/css; charset=utf-8"
    assert answer.headers[b"x-content-type-options"] == b"nosniff"
    assert int(answer.headers[b"content-length"]) == len(answer.body) > 1000


async def test_a_large_file_comes_in_pieces() -> None:
    answer = await ask("/static/admin/js/vendor/jquery/jquery.js")

    assert int(answer.headers[b"content-length"]) == len(answer.body) > CHUNK


async def test_a_browser_that_has_it_is_told_so() -> None:
    tag = (await ask(STYLES)).headers[b"etag"].decode()

    answer = await ask(STYLES, if_none_match=f'"other", {tag}')

    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers[b"etag"].decode() == tag
    assert (await ask(STYLES, if_none_match='"other"')).status == 200


async def test_head_has_no_body() -> None:
    answer = await ask(STYLES, "HEAD")

    assert answer.status == 200
    assert answer.body == b""
    assert int(answer.headers[b"content-length"]) > 1000


@pytest.mark.parametrize(
    "path",
    [
        "/static/none.css",
        "/static/",
        "/static/admin/",
        "/static/admin/css",
        "/static/../settings.py",
        "/static/admin/../../../../etc/passwd",
        "/static//etc/passwd",
        "/static/a\0b",
        "/static/" + "x" * 5000,
    ],
)
async def test_whatever_is_no_file_is_not_found(path: str) -> None:
    assert (await ask(path)).status == 404


@pytest.mark.parametrize(
    ("path", "method"),
    [("/", "GET"), ("/staticky", "GET"), (STYLES, "POST"), ("/x" + STYLES, "GET")],
)
async def test_everything_else_is_the_applications(path: str, method: str) -> None:
    assert (await ask(path, method)).status == 299
