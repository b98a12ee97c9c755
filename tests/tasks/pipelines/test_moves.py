"""What a pipeline does next."""

from typing import Any

import pytest

from tasks.pipelines.moves import next_moves

S, F, C, K = "SUCCESSFUL", "FAILED", "CANCELLED", "SKIPPED"


def plan(on_failure: str = "stop", optional: str = "", **needs: str) -> dict[str, Any]:
    """A stage for each name, with what it needs and whether it is optional in one letter each."""
    stages = [
        {"name": name, "needs": list(need), "optional": name in optional}
        for name, need in needs.items()
    ]
    return {"on_failure": on_failure, "stages": stages}


LINE = {"a": "", "b": "a", "c": "b"}
DIAMOND = {"a": "", "b": "a", "c": "a", "d": "bc"}


@pytest.mark.parametrize(
    ("needs", "ended", "live", "start"),
    [
        (LINE, {}, "", "a"),
        (LINE, {}, "a", ""),
        (LINE, {"a": S}, "", "b"),
        (LINE, {"a": S, "b": S}, "", "c"),
        (DIAMOND, {"a": S}, "", "bc"),
        (DIAMOND, {"a": S}, "b", "c"),
        (DIAMOND, {"a": S, "b": S}, "c", ""),
        (DIAMOND, {"a": S, "b": S, "c": S}, "", "d"),
        ({"d": "a", "a": ""}, {}, "", "a"),
    ],
)
def test_what_has_all_it_needs_is_started(
    needs: dict[str, str], ended: dict[str, str], live: str, start: str
) -> None:
    moves = next_moves(plan(**needs), ended, live, "")
    assert (moves.start, moves.skip, moves.cancel, moves.end) == (list(start), [], "", None)


def test_all_ended() -> None:
    moves = next_moves(plan(**LINE), dict.fromkeys("abc", S), "", "")
    assert (moves.start, moves.end) == ([], S)


def test_the_first_failure_stops_the_rest() -> None:
    moves = next_moves(plan(**DIAMOND), {"a": S, "b": F}, "c", "")
    assert (moves.start, moves.cancel, moves.end, moves.culprit) == ([], "stop", None, "b")
    moves = next_moves(plan(**DIAMOND), {"a": S, "b": F, "c": C}, "", "")
    assert (moves.skip, moves.end, moves.culprit) == (["d"], F, "b")
    moves = next_moves(plan(**DIAMOND), {"a": S, "c": F, "b": C}, "", "")
    assert moves.culprit == "c"


def test_or_what_does_not_need_it_goes_on() -> None:
    graph = plan("continue", a="", b="", c="a", d="b", e="c")
    moves = next_moves(graph, {"a": F, "b": S}, "", "")
    assert (moves.start, moves.skip, moves.cancel, moves.end) == (["d"], ["c", "e"], "", None)
    moves = next_moves(graph, {"a": F, "b": S, "c": K, "e": K, "d": S}, "", "")
    assert (moves.end, moves.culprit) == (F, "a")


def test_skipping_goes_through_whatever_the_order() -> None:
    moves = next_moves(plan("continue", c="b", b="a", a=""), {"a": F}, "", "")
    assert (sorted(moves.skip), moves.end) == (["b", "c"], F)


@pytest.mark.parametrize("end", [F, C])
def test_an_optional_stage_stops_nothing(end: str) -> None:
    moves = next_moves(plan(optional="a", **LINE), {"a": end}, "", "")
    assert (moves.start, moves.cancel) == (["b"], "")
    moves = next_moves(plan(optional="a", **LINE), {"a": end, "b": S, "c": S}, "", "")
    assert (moves.end, moves.culprit) == (S, None)


@pytest.mark.parametrize("request_", ["stop", "kill"])
def test_a_request_ends_what_is_under_way_and_then_itself(request_: str) -> None:
    moves = next_moves(plan(**LINE), {"a": S}, "b", request_)
    assert (moves.start, moves.cancel, moves.end) == ([], request_, None)
    moves = next_moves(plan(**LINE), {"a": S, "b": C}, "", request_)
    assert (moves.skip, moves.end) == (["c"], C)
    moves = next_moves(plan(**LINE), dict.fromkeys("abc", S), "", request_)
    assert moves.end == C
