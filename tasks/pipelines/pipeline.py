"""A pipeline: stages, each a task or a TaskSpec, in the order of what they need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from tasks.exceptions import InvalidSpec
from tasks.pipelines import graph
from tasks.specs import folders
from tasks.specs.documents import check, complain, pipeline_schema, read
from tasks.specs.given import MISSING
from tasks.specs.spec import TaskSpec
from tasks.specs.validation import Problem
from tasks.task import Task

__all__ = ["Pipeline", "Stage", "Target"]

Target = Task[..., Any] | TaskSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage as a program gives it; the fields are those of the document.

    *target* is a task, or the name of one; or a :class:`TaskSpec`, or a document of one.
    """

    name: str
    target: Target | Mapping[str, Any] | str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    payload: Any = MISSING
    spec_args: Mapping[str, Any] = field(default_factory=dict)
    stdin_text: Any = MISSING
    #: None: the stage before it.
    needs: Sequence[str] | None = None
    optional: bool = False

    def document(self) -> dict[str, Any]:
        lists = {"args": list(self.args), "kwargs": dict(self.kwargs)}
        lists["spec_args"] = dict(self.spec_args)
        given = {"payload": self.payload, "stdin_text": self.stdin_text}
        return {
            "name": self.name,
            **_named(self.target),
            **{name: value for name, value in lists.items() if value},
            **{name: value for name, value in given.items() if value is not MISSING},
            **({} if self.needs is None else {"needs": list(self.needs)}),
            "optional": self.optional,
        }


def _named(target: Target | Mapping[str, Any] | str) -> dict[str, Any]:
    """A target as a document has it."""
    match target:
        case str():
            return {"task": target}
        case Task():
            return {"task": target.name}
        case TaskSpec():
            return {"spec": dict(target.document)}
        case _:
            return {"spec": dict(target)}


class Pipeline:
    """A checked document. What its stages name is looked for when it is submitted."""

    def __init__(
        self,
        name: str,
        stages: Sequence[Stage],
        *,
        on_failure: Literal["stop", "continue"] = "stop",
        **fields: Any,
    ) -> None:
        """*fields* are the others of the document: ``result``, ``queue_name``, …"""
        listed = [stage.document() for stage in stages]
        given = {"name": name, "stages": listed, "on_failure": on_failure, **fields}
        self._take(given, None)
        #: What stages have for a target that a document could only name.
        self.targets: dict[str, Target] = {
            stage.name: stage.target
            for stage in stages
            if isinstance(stage.target, Task | TaskSpec)
        }

    @classmethod
    def of(cls, document: Mapping[str, Any], folder: Path | None = None) -> Self:
        """From a document; specs it names with ``./`` are in *folder*. :class:`InvalidSpec`."""
        made = cls.__new__(cls)
        made._take(document, folder)
        made.targets = {}
        return made

    @classmethod
    def read(cls, file: Path) -> Self:
        """From a file. :class:`InvalidSpec` names it."""
        try:
            return cls.of(read(file), file.parent)
        except InvalidSpec as error:
            raise InvalidSpec(f"{file}: {error}") from error

    @classmethod
    def named(cls, reference: str | Path) -> Self:
        """By path or name. :class:`SpecNotFound` or :class:`InvalidSpec`."""
        return cls.read(folders.find(reference, folders.PIPELINE))

    @property
    def name(self) -> str:
        return str(self.document["name"])

    def _take(self, document: Mapping[str, Any], folder: Path | None) -> None:
        self.document = check("pipeline", document, pipeline_schema())
        self.folder = folder
        complain("pipeline", [*_of_targets(self.document), *graph.problems(self.document)])


def _of_targets(document: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    for number, stage in enumerate(document["stages"]):
        path = f"/stages/{number}"
        if ("task" in stage) == ("spec" in stage):
            found.append(Problem(path, "a stage has a task or a spec, and not both"))
            continue
        kind, others = (
            ("task", ("payload", "spec_args", "stdin_text"))
            if "task" in stage
            else ("spec", ("args", "kwargs"))
        )
        found += [Problem(f"{path}/{name}", f"not of a {kind}") for name in others if name in stage]
    return found
