"""What is refused of a pipeline, and where it says that the fault is."""

from typing import Any

import pytest

from tasks.exceptions import HeadwayError, InvalidArguments, InvalidSpec
from tasks.pipelines import Pipeline, Stage, payload, submit_pipeline, value
from tasks.pipelines.plan import planned
from tests.app import tasks as app


def add(name: str, *args: Any, **fields: Any) -> dict[str, Any]:
    return {"name": name, "task": "tests.app.tasks.add", "args": list(args) or [1], **fields}


def spec(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "spec": {"name": "add", "target": "tests.app.tasks.add"}, **fields}


A, B = add("a"), add("b", {"$stage": "a"})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"name": "p", "stages": []}, "/stages: must have at least 1 items"),
        ({"name": "p", "stages": [A] * 201}, "/stages: must have at most 200 items"),
        ({"name": "a/b", "stages": [A]}, "/name: 'a/b' does not fit"),
        ({"name": "p", "stages": [A, B, A]}, "/stages/2/name: there are two stages 'a'"),
        ({"name": "p", "stages": [A], "result": "c"}, "/result: there is no stage 'c'"),
        ({"name": "p", "stages": [A], "on_failure": "retry"}, "/on_failure: must be one of"),
        (
            {"name": "p", "stages": [A, {**B, "needs": ["a", "c"]}]},
            "/stages/1/needs/1: there is no stage 'c'",
        ),
        (
            {"name": "p", "stages": [add("a", needs=["c"]), B, add("c", needs=["b"])]},
            "/stages/0/needs: the stages wait for each other: a needs c needs b needs a",
        ),
        (
            {"name": "p", "stages": [add("a", needs=["a"])]},
            "/stages/0/needs: the stages wait for each other: a needs a",
        ),
        (
            {"name": "p", "stages": [A, {**B, "needs": []}]},
            "/stages/1/args/0: 'b' does not wait for 'a': see its needs",
        ),
        (
            {"name": "p", "stages": [add("a", {"x": [{"$stage": 7}]})]},
            '/stages/0/args/0/x/0: "$stage" is the name of a stage',
        ),
        (
            {"name": "p", "stages": [add("a", {"$payload": "day"})]},
            '/stages/0/args/0: "$payload" is true',
        ),
        (
            {"name": "p", "stages": [A, add("b", {"$stage": "a", "item": 0})]},
            "/stages/1/args/0: a reference has $stage or $payload, and key",
        ),
        ({"name": "p", "stages": [{"name": "a"}]}, "/stages/0: a stage has a task or a spec"),
        ({"name": "p", "stages": [{**A, "spec": "x"}]}, "/stages/0: a stage has a task or a spec"),
        ({"name": "p", "stages": [{**A, "payload": 1}]}, "/stages/0/payload: not of a task"),
        ({"name": "p", "stages": [spec("a", args=[1])]}, "/stages/0/args: not of a spec"),
        ({"name": "p", "stages": [add("a", when=1)]}, "/stages/0/when: there is no such field"),
    ],
)
def test_a_document(document: Any, said: str) -> None:
    with pytest.raises(InvalidSpec) as raised:
        Pipeline.of(document)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ({"name": "a", "task": "nobody.knows"}, "/stages/0: No task is registered as"),
        ({"name": "a", "task": "headway.pipeline"}, "/stages/0: No task is registered as"),
        ({"name": "a", "task": "tasks.pipelines.run.pipeline"}, "No task is registered as"),
        (add("a", 1, 2, 3), "/stages/0: add() cannot be called like this"),
        (add("a", {"$payload": True}), "/stages/0: /args/0: refers to the payload, and none is"),
        (spec("a", spec_args={"a": 1}), "/stages/0: The spec add takes: none. /spec_args/a: not"),
        ({"name": "a", "spec": "no/such"}, "/stages/0: There is no TaskSpec 'no/such'"),
        ({"name": "a", "spec": "../up"}, "/stages/0: '../up' is no name"),
        (
            {"name": "a", "spec": {"name": "x", "target": "json:dumps"}},
            "/stages/0: /target: json is in no app of INSTALLED_APPS",
        ),
        (
            {"name": "a", "spec": {"name": "x", "target": "a", "timeout": -1}},
            "/spec/timeout: must be above 0",
        ),
    ],
)
def test_what_is_found_at_the_call(stage: Any, said: str) -> None:
    with pytest.raises(HeadwayError) as raised:
        submit_pipeline({"name": "p", "stages": [stage]})
    assert said in str(raised.value)


def test_the_payload_lacks_what_a_stage_takes() -> None:
    document = {"name": "p", "stages": [add("a", {"$payload": True, "key": "day"})]}
    with pytest.raises(InvalidArguments, match=r"^/stages/0: The payload has no item 'day'"):
        submit_pipeline(document, payload={"night": 1})


@pytest.mark.parametrize("name", ["work_payload", "input"])
def test_other_names_of_the_payload_are_refused_with_a_hint(name: str) -> None:
    given: dict[str, Any] = {name: 1}
    with pytest.raises(InvalidArguments, match=f"{name}= is called payload= here"):
        submit_pipeline({"name": "p", "stages": [A]}, **given)


def test_from_python() -> None:
    made = Pipeline(
        "p",
        [
            Stage(name="a", target=app.add.using(priority=7), args=[payload("n")]),
            Stage(name="b", target="suite.named", needs=()),
            Stage(name="c", target=app.add, args=[value("a")], kwargs={"b": 1}, needs=["a", "b"]),
        ],
    )
    found = planned(made, {"n": 3})
    stages = found["stages"]
    assert [stage["needs"] for stage in stages] == [[], [], ["a", "b"]]
    assert stages[0]["options"]["priority"] == 7
    assert "priority" not in stages[2]["options"]
    assert stages[0]["options"]["metadata"] == {"pipeline": "p", "stage": "a"}
    assert (found["result"], found["payload"]) == ("c", {"n": 3})


def test_a_payload_without_a_value_is_one() -> None:
    made = Pipeline("p", [Stage(name="a", target=app.echo, args=[payload()])])
    assert planned(made, None)["payload"] is None
