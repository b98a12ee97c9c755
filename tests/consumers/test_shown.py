"""Grants are found where clients show them, and taken out of URLs."""

from typing import Any
from uuid import uuid4

import pytest

from consumers.access.shown import conceal, shown_in
from tasks import grants

GRANT = grants.make(uuid4(), "stream", 0, None)
QUOTED = GRANT.replace("hwg_", "%68wg%5F")


def scope(query: str = "", **rest: Any) -> dict[str, Any]:
    return {"headers": [], "query_string": query.encode(), **rest}


@pytest.mark.parametrize(
    ("query", "left"),
    [
        (f"grant={GRANT}", ""),
        (f"after=3&grant={GRANT}", "after=3"),
        (f"grant={GRANT}&run=a&run=b", "run=a&run=b"),
        (f"run=a&grant={GRANT}&run=b%20c&x", "run=a&run=b%20c&x"),
        (f"gr%61nt={QUOTED}&after=latest", "after=latest"),
        (f"grant={GRANT}&grant={GRANT[:50]}", ""),
    ],
)
def test_a_grant_is_taken_out_of_the_url(query: str, left: str) -> None:
    seen = scope(query)
    before = shown_in(seen)
    assert conceal(seen)
    assert seen["query_string"] == left.encode()
    assert shown_in(seen) == before
    assert before[0] == GRANT


@pytest.mark.parametrize(
    "query",
    ["", "after=3", "grant=", "grant=of-another-kind", "run=a&&b=%zz", "x=hwg_a", "%", "granted=1"],
)
def test_what_is_no_grant_stays(query: str) -> None:
    seen = scope(query)
    assert not conceal(seen)
    assert seen == scope(query)


def test_a_parameter_of_that_name_is_taken_for_a_grant() -> None:
    """To be refused: whoever writes one wants it to count."""
    assert shown_in(scope("grant=nonsense")) == ["nonsense"]


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER  "])
def test_a_bearer_token(scheme: bytes) -> None:
    assert shown_in(scope(headers=[(b"authorization", scheme + GRANT.encode())])) == [GRANT]


@pytest.mark.parametrize("value", [b"Bearer abc", b"Basic hwg_a", b"Bearer", b"hwg_a", b"\xff\xfe"])
def test_other_credentials_are_somebody_elses(value: bytes) -> None:
    assert shown_in(scope(headers=[(b"authorization", value)])) == []


def test_subprotocols() -> None:
    offered = ["headway", f"headway.grant.{GRANT}", "chat", "headway.grant.x"]
    assert shown_in(scope(subprotocols=offered)) == [GRANT, "x"]
    assert shown_in({"type": "websocket"}) == []
