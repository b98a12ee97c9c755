"""A TaskSpec: a document that says what is executed, with which arguments, and how."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tasks.exceptions import InvalidSpec
from tasks.specs import folders
from tasks.specs.documents import check, complain, read, taskspec_schema
from tasks.specs.placeholders import undeclared
from tasks.specs.validation import Problem

__all__ = ["TaskSpec"]

_LIMITS = ("memory_mb", "cpu_seconds", "max_fds")
_OPTIONS = ("runner", "timeout", "max_attempts", "queue_name", "priority", "env", "stream_output")


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A document that fits the schema. What it names is looked for when it is submitted."""

    document: Mapping[str, Any]
    #: The folder of its ``taskspec.json``, if it has one to itself.
    bundle: Path | None = None

    @classmethod
    def of(cls, document: "Mapping[str, Any] | TaskSpec", path: str = "") -> "TaskSpec":
        """From a document that may lie at *path* in another one. :class:`InvalidSpec`."""
        if isinstance(document, TaskSpec):
            return document
        copy = check("TaskSpec", document, taskspec_schema(), path)
        complain("TaskSpec", (Problem(path + where, what) for where, what in _at_odds(copy)))
        return cls(copy)

    @classmethod
    def read(cls, file: Path) -> Self:
        """From a file. :class:`InvalidSpec` names it."""
        try:
            spec = cls.of(read(file))
        except InvalidSpec as error:
            raise InvalidSpec(f"{file}: {error}") from error
        return cls(spec.document, file.parent if file.name == folders.TASKSPEC.bundled else None)

    @classmethod
    def named(cls, reference: str | Path) -> Self:
        """By path or name. :class:`SpecNotFound` or :class:`InvalidSpec`."""
        return cls.read(folders.find(reference, folders.TASKSPEC))

    @property
    def name(self) -> str:
        return str(self.document["name"])

    @property
    def command(self) -> list[str] | None:
        """The arguments of its command, if its target is one."""
        target = self.document["target"]
        return [*target["command"], *self.args] if isinstance(target, Mapping) else None

    @property
    def target(self) -> str:
        """The name of its task, or ``module:function``."""
        return str(self.document["target"])

    @property
    def args(self) -> list[Any]:
        return list(self.document.get("args", ()))

    @property
    def kwargs(self) -> dict[str, Any]:
        return dict(self.document.get("kwargs", {}))

    @property
    def spec_args(self) -> Mapping[str, Mapping[str, Any]]:
        """The arguments that whoever submits it gives, by name."""
        declared: Mapping[str, Mapping[str, Any]] = self.document.get("spec_args", {})
        return declared

    @property
    def takes_stdin_text(self) -> bool:
        return bool(self.document.get("stdin_text"))

    def options(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """For ``using()`` of a task whose own metadata is *metadata*."""
        found = {name: self.document[name] for name in _OPTIONS if name in self.document}
        limits = self.document.get("limits", {})
        found |= {name: limits[name] for name in _LIMITS if name in limits}
        if (folder := self.document.get("working_dir")) is not None:
            found["working_dir"] = str(self.bundle / folder) if self.bundle else folder
        own = self.document.get("metadata", {})
        return found | {"metadata": {**metadata, **own, "taskspec": self.name}}


def _at_odds(document: Mapping[str, Any]) -> Iterator[Problem]:
    """What in a document contradicts itself."""
    declared = document.get("spec_args", {})
    for name, one in declared.items():
        if name in document.get("kwargs", {}):
            yield Problem(f"/spec_args/{name}", "kwargs gives it already")
        if one.get("required") and "default" in one:
            yield Problem(f"/spec_args/{name}", "what has a default is not required")
    if isinstance(document["target"], Mapping):
        yield from _of_command(document, declared)
        return
    if document.get("stdin_text"):
        yield Problem("/stdin_text", "only a command reads a standard input")


def _of_command(document: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[Problem]:
    if document.get("runner") not in (None, "auto", "command"):
        yield Problem("/runner", "a command has the runner 'command'")
    if document.get("kwargs"):
        yield Problem("/kwargs", "a command has arguments in a list: use args")
    for field, items in (
        ("/target/command", document["target"]["command"]),
        ("/args", document.get("args", [])),
    ):
        for number, item in enumerate(items):
            if not isinstance(item, str):
                yield Problem(f"{field}/{number}", "the arguments of a command are strings")
                continue
            for name in undeclared(item, declared):
                yield Problem(f"{field}/{number}", f"${{{name}}} is not declared in spec_args")
    for name, one in declared.items():
        if one.get("type") in ("array", "object"):
            yield Problem(f"/spec_args/{name}/type", "a command's argument is a text or a number")
