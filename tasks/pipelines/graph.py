"""What can be wrong with the stages of a pipeline as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tasks.specs.templates import STAGE, references, wrong_form
from tasks.specs.validation import Problem

__all__ = ["needs_of", "problems"]

#: Fields of a stage that may hold references.
TEMPLATES = ("args", "kwargs", "payload", "spec_args", "stdin_text")


def needs_of(stages: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """What each stage waits for: what it says, or else the one before it."""
    before = [[], *([stage["name"]] for stage in stages[:-1])]
    return [list(stage.get("needs", one)) for stage, one in zip(stages, before, strict=True)]


def problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Of a document that fits the schema, in its order."""
    stages = document["stages"]
    names = [stage["name"] for stage in stages]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield Problem(f"/stages/{number}/name", f"there are two stages {name!r}")
    if (result := document.get("result", names[-1])) not in names:
        yield Problem("/result", f"there is no stage {result!r}")
    needs = dict(zip(names, needs_of(stages), strict=True))
    for number, stage in enumerate(stages):
        for place, need in enumerate(needs[stage["name"]]):
            if need not in names:
                yield Problem(f"/stages/{number}/needs/{place}", f"there is no stage {need!r}")
    if circle := _circle(needs):
        where = f"/stages/{names.index(circle[0])}/needs"
        yield Problem(where, f"the stages wait for each other: {' needs '.join(circle)}")
    for number, stage in enumerate(stages):
        yield from _of_references(stage, f"/stages/{number}", _all_needs(stage["name"], needs))


def _of_references(stage: Mapping[str, Any], path: str, needed: Sequence[str]) -> Iterator[Problem]:
    for field in TEMPLATES:
        for where, reference in references(stage.get(field), f"{path}/{field}"):
            if wrong := list(wrong_form(where, reference)):
                yield from wrong
            elif (name := reference.get(STAGE)) is not None and name not in needed:
                yield Problem(where, f"{stage['name']!r} does not wait for {name!r}: see its needs")


def _all_needs(name: str, needs: Mapping[str, Sequence[str]]) -> list[str]:
    """All that have ended when *name* begins."""
    found: list[str] = []
    todo = list(needs[name])
    while todo:
        one = todo.pop()
        if one not in found:
            found.append(one)
            todo += needs.get(one, ())
    return found


def _circle(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Stages that wait for each other, the first one again at the end; or none."""
    done: set[str] = set()
    for first in needs:
        way = [first]
        while way:
            following = next((n for n in needs.get(way[-1], ()) if n not in done), None)
            if following is None:
                done.add(way.pop())
            elif following in way:
                return [*way[way.index(following) :], following]
            else:
                way.append(following)
    return []
