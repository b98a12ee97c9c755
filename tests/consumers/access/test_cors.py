"""Pages of other origins: those that are declared may read, and no others."""

from typing import Any

import pytest

from consumers.feeds.hub import Hub
from consumers.wire import CloseCode

from ..asking import csrf
from ..conftest import Login
from ..connections import HttpStream, events_path, socket
from ..rows import stored
from ..runsocket import closing, envelopes, opened
from .test_grants import bearer, grant

APP = "https://app.example"
TRUSTED = "https://trusted.example"
EVIL = "https://evil.example"


@pytest.fixture(autouse=True)
def declared(settings: Any) -> None:
    settings.HEADWAY = {"CORS_ORIGINS": [APP, TRUSTED], "RECHECK": 0.02}
    settings.CSRF_TRUSTED_ORIGINS = [TRUSTED]


def origin(name: str) -> tuple[bytes, bytes]:
    return (b"origin", name.encode())


def site(name: str) -> tuple[bytes, bytes]:
    return (b"sec-fetch-site", name.encode())


def allowed(request: HttpStream) -> dict[str, str]:
    """What the answer allows to pages."""
    start = "access-control-"
    return {
        name.removeprefix(start): value
        for name, value in request.headers.items()
        if name.startswith(start)
    }


async def test_a_declared_page_reads_with_a_grant(hub: Hub) -> None:
    run = await stored(events=1, finish=True)
    for path in (f"/tasks/{run.pk}/", events_path(run.pk)):
        action = "stream" if path.endswith("events/") else "view"
        headers = [bearer(grant(run, action)), origin(APP), site("cross-site")]
        request = await HttpStream(path, headers=headers).open()
        assert request.status == 200
        assert allowed(request) == {"allow-origin": APP, "expose-headers": "Location, Retry-After"}
        assert "Origin" in request.headers["vary"]
        if not request.content:
            await request.body()


async def test_a_refusal_can_be_read_as_well(hub: Hub) -> None:
    run = await stored()
    request = await HttpStream(events_path(run.pk), headers=[origin(APP)]).open()
    assert request.status == 401
    assert allowed(request)["allow-origin"] == APP


async def test_credentials_are_for_trusted_origins(hub: Hub, ann: Login) -> None:
    run = await stored(user=ann.user, events=1, finish=True)
    headers = [origin(TRUSTED), site("same-site"), ann.cookie]
    request = await HttpStream(events_path(run.pk), headers=headers).open()
    assert request.status == 200
    assert allowed(request)["allow-origin"] == TRUSTED
    assert allowed(request)["allow-credentials"] == "true"
    await request.body()


@pytest.mark.parametrize("headers", [[], [origin(EVIL)], [origin("null")], [origin("*")]])
async def test_nobody_else_is_allowed_anything(hub: Hub, headers: Any) -> None:
    """Caches are told in any case, or they would hand on what one page was told."""
    run = await stored()
    headers = [bearer(grant(run, "view")), *headers]
    request = await HttpStream(f"/tasks/{run.pk}/", headers=headers).open()
    assert request.status == 200
    assert allowed(request) == {}
    assert "Origin" in request.headers["vary"]


async def test_without_declared_origins_nothing_is_said(hub: Hub, settings: Any) -> None:
    settings.HEADWAY = {}
    run = await stored()
    headers = [bearer(grant(run, "view")), origin(APP)]
    request = await HttpStream(f"/tasks/{run.pk}/", headers=headers).open()
    assert (request.status, allowed(request)) == (200, {})
    assert "Origin" not in request.headers.get("vary", "")


def asking(method: str, name: str) -> Any:
    wanted = b"authorization,last-event-id"
    return [
        origin(name),
        (b"access-control-request-method", method.encode()),
        (b"access-control-request-headers", wanted),
    ]


async def test_a_preflight(hub: Hub) -> None:
    run = await stored()
    paths = [(f"/tasks/{run.pk}/", "GET, HEAD"), (events_path(run.pk), "GET")]
    for path, methods in [*paths, (f"/tasks/{run.pk}/stop/", "POST"), ("/tasks/events/", "GET")]:
        request = HttpStream(path, headers=asking("GET", APP), method="OPTIONS")
        assert (await request.open()).status == 204
        found = allowed(request)
        assert found["allow-origin"] == APP
        assert found["allow-methods"] == methods
        names = found["allow-headers"].lower().split(", ")
        assert {"authorization", "last-event-id"} <= set(names)
        assert "allow-credentials" not in found
        assert "Origin" in request.headers["vary"]


@pytest.mark.parametrize("headers", [asking("GET", EVIL), asking("GET", "null"), [origin(APP)], []])
async def test_no_preflight(hub: Hub, headers: Any) -> None:
    request = HttpStream("/tasks/", headers=headers, method="OPTIONS")
    assert (await request.open()).status == 405
    assert "allow-methods" not in allowed(request)


FOREIGN = [
    [origin(EVIL)],
    [origin(EVIL), site("same-origin")],  # no browser says both
    [origin("null"), site("cross-site")],
    [origin("http://app.example")],
    [origin(f"{APP}:8443")],
    [site("cross-site")],  # an image, a link
    [site("same-site")],
    [site("☃".encode().decode("latin1"))],
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_foreign_page_opens_no_stream(hub: Hub, ann: Login, headers: Any) -> None:
    """Neither kind, with a cookie or with a grant."""
    run = await stored(user=ann.user)
    for proof in (ann.cookie, bearer(grant(run))):
        for path, query in ((events_path(run.pk), ""), ("/tasks/events/", f"run={run.pk}")):
            request = await HttpStream(path, query, [*headers, proof]).open()
            assert request.status == 403
            assert request.json["error"]["code"] == "foreign_page"
            assert allowed(request) == {}
        ws = socket(run.pk, headers=[*headers, proof])
        assert await ws.connect(10) == (False, CloseCode.FORBIDDEN)
    assert hub.watched == 0


OWN = [
    [],  # no browser
    [site("same-origin")],
    [site("none")],
    [origin("https://testserver"), site("same-origin")],
    [origin(TRUSTED), site("cross-site")],
]


@pytest.mark.parametrize("headers", OWN)
async def test_an_own_page_opens_both(hub: Hub, ann: Login, headers: Any) -> None:
    run = await stored(user=ann.user, events=1, finish=True)
    headers = [*headers, ann.cookie]
    request = await HttpStream(events_path(run.pk), headers=headers).open()
    assert request.status == 200
    await request.body()
    ws = await opened(socket(run.pk, headers=headers))
    assert (await envelopes(ws))[1] == CloseCode.FINISHED


async def test_a_declared_page_has_a_socket_by_grant_and_not_by_cookie(
    hub: Hub, ann: Login
) -> None:
    run = await stored(user=ann.user, events=1, finish=True)
    headers = [origin(APP), ann.cookie]
    ws = await opened(socket(run.pk, headers=headers))
    assert (await closing(ws))[0] == CloseCode.NOT_AUTHENTICATED
    ws = socket(run.pk, headers=headers, subprotocols=["headway", f"headway.grant.{grant(run)}"])
    assert await ws.connect(10) == (True, "headway")
    assert (await envelopes(ws))[1] == CloseCode.FINISHED


async def test_a_declared_page_forges_no_request(hub: Hub, staff: Login) -> None:
    """With the cookie of whoever looks at it, that is."""
    run = await stored()
    path = f"/tasks/{run.pk}/stop/"
    headers = [origin(APP), staff.cookie, *await csrf()]
    assert (await HttpStream(path, headers=headers, method="POST").open()).status == 403
    headers = [origin(APP), bearer(grant(run, "stop"))]
    assert (await HttpStream(path, headers=headers, method="POST").open()).status == 202
