"""The server does as its OpenAPI description says, for staff and for strangers."""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from consumers.views.description import described
from tests.e2e.bystanders import undisturbed
from tests.e2e.examiner import Answer, examine
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import SERVICE, Serve, Show

# What is asked and answered is the same on both.
pytestmark = [pytest.mark.e2e, pytest.mark.embedded]

APPS = f"{SERVICE},tests.streamed,tests.e2e.described"
TOKEN = "a" * 32
STREAM = "text/event-stream"
SHORT = 5
CASES = pytest.mark.parametrize(
    "cases",
    [
        pytest.param(SHORT, id="short", marks=pytest.mark.timeout(300)),
        pytest.param(250, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
# schemathesis reads it before it begins.
READ_FIRST = {"GET /tasks/openapi.json"}
PUBLIC = {
    *(f"{method} /health{kind}" for method in ("GET", "HEAD") for kind in ("", "/live", "/ready")),
}


def visitor(server: LiveServer, path: str = "") -> Mapping[str, str]:
    """What a browser sends that has been there."""
    given = httpx.get(f"{server.url}{path}", timeout=30).cookies if path else {}
    cookies = {**given, "csrftoken": TOKEN}
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Cookie": cookie, "X-CSRFToken": TOKEN}


def enqueue(server: LiveServer, headers: Mapping[str, str], name: str, count: int) -> list[str]:
    call = {"task": f"tests.e2e.described.tasks.{name}"}
    with httpx.Client(headers=headers, timeout=30) as client:
        answers = [client.post(f"{server.url}/tasks/", json=call) for _ in range(count)]
    return [answer.raise_for_status().json()["id"] for answer in answers]


def operations(media_type: str | None = None) -> set[str]:
    """Those that are described; or of them, those that may answer with that."""
    return {
        f"{method.upper()} {path}"
        for path, item in described()["paths"].items()
        for method, operation in item.items()
        for answer in operation["responses"].values()
        if media_type is None or media_type in answer.get("content", ())
    }


class Examination:
    """Of a server, beside whoever watches."""

    def __init__(self, server: LiveServer, ledger: Ledger, tmp_path: Path, show: Show) -> None:
        self.server = server
        self.staff = visitor(server, "/suite/login/")
        self._show = show
        self._folder = tmp_path / "examined"
        self._beside = partial(undisturbed, server, ledger, tmp_path / "over", show)

    def answers(
        self, rng: Random, headers: Mapping[str, str], cases: int, **options: Any
    ) -> list[Answer]:
        server, staff = self.server, self.staff
        # Chance may find what nobody has in years: the ordinary suite is no place for it.
        seed = 1 if cases == SHORT else rng.getrandbits(32)
        with self._beside(lambda: enqueue(server, staff, "anything", 50), staff):
            found = examine(
                server,
                self._folder,
                cases=cases,
                seed=seed,
                headers=headers,
                lingering=enqueue(server, staff, "linger", 20),
                done=enqueue(server, staff, "anything", 20),
                **options,
            )
            Path(server.env["OVER"]).touch()
        self._show(
            f"seed {seed}: {len(found)} answers {dict(Counter(answer.status for answer in found))}"
        )
        return found


@pytest.fixture
def examination(serve: Serve, ledger: Ledger, tmp_path: Path, show: Show) -> Examination:
    server = serve(authz=None, apps=APPS, replay_bytes=1 << 20)
    server.env["OVER"] = str(tmp_path / "lingered")
    return Examination(server.start(), ledger, tmp_path, show)


@CASES
def test_for_staff(examination: Examination, rng: Random, cases: int) -> None:
    for query in ("?start=1", ""):
        url = f"{examination.server.url}/suite/make/ExampleTask/{query}"
        httpx.post(url, timeout=30).raise_for_status()
    answers = examination.answers(rng, examination.staff, cases)
    good = [answer for answer in answers if answer.status < 300]
    assert {answer.operation for answer in good} == operations() - READ_FIRST
    streamed = {answer.operation for answer in good if answer.media_type == STREAM}
    assert streamed == operations(STREAM)


@CASES
def test_for_strangers(examination: Examination, rng: Random, cases: int) -> None:
    stranger = visitor(examination.server)
    # Of the edges of parameters nearly all is refused in one way.
    answers = examination.answers(rng, stranger, cases, coverage=cases > SHORT)
    assert {answer.operation for answer in answers if answer.status < 300} == PUBLIC
