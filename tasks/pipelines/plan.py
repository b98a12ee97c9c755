"""From a pipeline to what is stored of it: every stage resolved, all that can be wrong found."""

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.definition import registry
from tasks.definition.options import NAMES
from tasks.exceptions import HeadwayError, InvalidArguments, InvalidSpec
from tasks.pipelines.graph import TEMPLATES, needs_of
from tasks.pipelines.pipeline import Pipeline, Target
from tasks.specs import folders
from tasks.specs.given import MISSING
from tasks.specs.resolving import Resolved, resolve
from tasks.specs.spec import TaskSpec
from tasks.specs.templates import PAYLOAD, fill, references
from tasks.task import Task

__all__ = ["planned"]

_OPTIONS = ("priority", "queue_name", "backend", "timeout", "max_attempts", *NAMES)


def planned(pipeline: Pipeline, payload: Any = MISSING) -> dict[str, Any]:
    """The plan, which is the argument of the pipeline's run.

    :class:`InvalidSpec` or :class:`InvalidArguments` with the path of the stage.
    """
    document = pipeline.document
    stages = document["stages"]
    found: dict[str, Any] = {
        "name": pipeline.name,
        "on_failure": document.get("on_failure", "stop"),
        "result": document.get("result", stages[-1]["name"]),
        "stages": list(_stages(pipeline, payload)),
    }
    return found if payload is MISSING else {**found, "payload": payload}


def _stages(pipeline: Pipeline, payload: Any) -> Iterator[dict[str, Any]]:
    stages = pipeline.document["stages"]
    for number, (stage, needs) in enumerate(zip(stages, needs_of(stages), strict=True)):
        path = f"/stages/{number}"
        try:
            _check_payload(stage, payload)
            call = _resolved(stage, _target(pipeline, stage, path))
        except HeadwayError as error:
            kind = InvalidArguments if isinstance(error, InvalidArguments) else InvalidSpec
            raise kind(f"{path}: {error}") from error
        about = {"pipeline": pipeline.name, "stage": stage["name"]}
        yield {
            "name": stage["name"],
            "needs": needs,
            "task": call.task.module_path,
            "args": call.args,
            "kwargs": call.kwargs,
            "options": {
                **call.options,
                "metadata": {**call.options.get("metadata", {}), **about},
            },
            "optional": stage.get("optional", False),
        }


def _target(pipeline: Pipeline, stage: Mapping[str, Any], path: str) -> Target:
    if (given := pipeline.targets.get(stage["name"])) is not None:
        return given
    if "task" in stage:
        return registry.find(stage["task"])
    spec = stage["spec"]
    if isinstance(spec, str):
        return _referred(spec, pipeline)
    return TaskSpec.of(spec, "/spec")


def _referred(reference: str, pipeline: Pipeline) -> TaskSpec:
    if pipeline.folder is not None and reference.startswith("./"):
        return TaskSpec.read(folders.beside(pipeline.folder, reference[2:], folders.TASKSPEC))
    return TaskSpec.named(reference)


def _resolved(stage: Mapping[str, Any], target: Target) -> Resolved:
    if isinstance(target, TaskSpec):
        return resolve(
            target,
            stage.get("payload", MISSING),
            stage.get("spec_args"),
            stage.get("stdin_text", MISSING),
            template=True,
        )
    args, kwargs = stage.get("args", []), stage.get("kwargs", {})
    target.check_call(tuple(args), kwargs)
    return Resolved(target, args, kwargs, _options(target))


def _options(task: Task[..., Any]) -> dict[str, Any]:
    """Those of *task* that another process would not find with its function."""
    known = registry.resolve(task.module_path)
    own = {name: getattr(task, name) for name in _OPTIONS}
    found = {name: value for name, value in own.items() if value != getattr(known, name)}
    return {**found, "metadata": dict(task.metadata)}


def _check_payload(stage: Mapping[str, Any], payload: Any) -> None:
    """The payload has what the stage takes from it."""
    for field in TEMPLATES:
        for path, reference in references(stage.get(field), f"/{field}"):
            if PAYLOAD not in reference:
                continue
            if payload is MISSING:
                raise InvalidArguments(f"{path}: refers to the payload, and none is given.")
            fill(reference, lambda _: payload)
