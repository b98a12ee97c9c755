"""TaskSpecs and pipelines as files: found, read, and told what is wrong with them."""

from pathlib import Path

from tasks.definition import registry
from tasks.exceptions import HeadwayError, SpecNotFound
from tasks.pipelines import Pipeline
from tasks.specs import TaskSpec, folders
from tasks.specs.bundle import find_function

__all__ = ["Found", "by_name", "found"]


class Found:
    """A document, or what keeps it from being one."""

    def __init__(self, name: str, kind: folders.Kind, file: Path) -> None:
        self.name, self.kind, self.file = name, kind.noun, file
        self.description = ""
        self.problem: str | None = None
        try:
            self._read(kind)
        except HeadwayError as error:
            self.problem = str(error)

    def _read(self, kind: folders.Kind) -> None:
        if kind is folders.PIPELINE:
            self.description = str(Pipeline.read(self.file).document.get("description", ""))
            return
        spec = TaskSpec.read(self.file)
        self.description = str(spec.document.get("description", ""))
        if spec.command is not None:
            return
        if ":" in spec.target:
            find_function(spec.target, None if spec.bundle is None else str(spec.bundle))
        else:
            registry.find(spec.target)


def by_name() -> list[Found]:
    """All that a reference finds."""
    return [
        Found(name, kind, file)
        for kind in (folders.TASKSPEC, folders.PIPELINE)
        for name, file in sorted(folders.names(kind).items())
    ]


def found(reference: str) -> Found:
    """By a path of a file or bundle, or a name; :class:`SpecNotFound`."""
    path = Path(reference)
    if path.exists():
        kind = _kind_of(path)
        return Found(reference, kind, folders.find(path.resolve(), kind))
    try:
        return Found(reference, folders.TASKSPEC, folders.find(reference, folders.TASKSPEC))
    except SpecNotFound as error:
        try:
            file = folders.find(reference, folders.PIPELINE)
        except SpecNotFound:
            raise error from None
        return Found(reference, folders.PIPELINE, file)


def _kind_of(path: Path) -> folders.Kind:
    bundled = path.is_dir() and (path / folders.PIPELINE.bundled).exists()
    named = path.name == folders.PIPELINE.bundled or path.name.endswith(folders.PIPELINE.suffix)
    return folders.PIPELINE if bundled or named else folders.TASKSPEC
