"""Where specs and pipelines are found by name."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps

from tasks.conf import conf
from tasks.exceptions import SpecNotFound

__all__ = ["FOLDER", "PIPELINE", "TASKSPEC", "Kind", "beside", "find", "folders", "names"]

#: Of the project, and of each app: the specs that come with it.
FOLDER = "taskspecs"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*", re.ASCII)


class Kind:
    """What a document is: the endings of its file's name, and its file in a bundle."""

    def __init__(self, noun: str, suffix: str, bundled: str) -> None:
        self.noun, self.suffix, self.bundled = noun, suffix, bundled

    def files(self, place: Path, name: str) -> Iterator[Path]:
        """Where a document of this name would be in the folder *place*, first choice first."""
        yield place / name / self.bundled
        yield place / f"{name}{self.suffix}"


TASKSPEC = Kind("TaskSpec", ".json", "taskspec.json")
PIPELINE = Kind("pipeline", ".pipeline.json", "pipeline.json")


def folders() -> list[Path]:
    """Those of the setting, then the project's own, then those of its apps, in order."""
    own = [conf().at(folder) for folder in conf().specs]
    # Where no setting names the project's folder, the current one may be a stranger's.
    if (home := conf().home) is not None:
        own.append(home / FOLDER)
    packaged = [Path(app.path) / FOLDER for app in apps.get_app_configs()]
    return [folder for folder in (*own, *packaged) if folder.is_dir()]


def find(reference: str | Path, kind: Kind) -> Path:
    """The file of a document, by its path or by its name in :func:`folders`.

    A ``Path``, an absolute path, or one that begins with ``./`` is a path, of a file or of a
    bundle. Anything else is a name, which leads out of no folder. :class:`SpecNotFound`.
    """
    if isinstance(reference, Path) or reference.startswith(("/", "./")):
        return _at(Path(reference), kind)
    if not _NAME.fullmatch(reference) or ".." in reference:
        raise SpecNotFound(
            f"{reference!r} is no name of a {kind.noun}: letters, digits, '_', '.', '-', and '/'"
            " between folders, but no '..'. A path is absolute, or begins with './'."
        )
    for folder in (looked := folders()):
        for file in kind.files(folder, reference.removesuffix(kind.suffix)):
            if file.is_file():
                return _within(file, folder)
    where = ", ".join(map(str, looked)) or "nowhere: HEADWAY['SPECS'] is empty"
    raise SpecNotFound(f"There is no {kind.noun} {reference!r}; looked in {where}.")


def beside(folder: Path, name: str, kind: Kind) -> Path:
    """The file of a document that lies in *folder*, or in a bundle in it."""
    if _NAME.fullmatch(name) and ".." not in name:
        for file in kind.files(folder, name.removesuffix(kind.suffix)):
            if file.is_file():
                return _within(file, folder)
    raise SpecNotFound(f"There is no {kind.noun} {name!r} in {folder}.")


def names(kind: Kind) -> dict[str, Path]:
    """Every document that can be found by name, and its file."""
    found: dict[str, Path] = {}
    for folder in folders():
        for file in sorted(folder.rglob("*.json")):
            if name := _name(file, folder, kind):
                found.setdefault(name, file)
    return found


def _name(file: Path, folder: Path, kind: Kind) -> str | None:
    if file.name == kind.bundled:
        return file.parent.relative_to(folder).as_posix() if file.parent != folder else None
    above = [place for place in file.parents if place.is_relative_to(folder) and place != folder]
    if any((place / TASKSPEC.bundled).exists() for place in above):
        return None  # what lies in a bundle is the bundle's own
    if not file.name.endswith(kind.suffix):
        return None
    if kind is TASKSPEC and file.name.endswith((PIPELINE.suffix, PIPELINE.bundled)):
        return None
    return file.relative_to(folder).as_posix().removesuffix(kind.suffix)


def _at(path: Path, kind: Kind) -> Path:
    if ".." in path.parts:
        raise SpecNotFound(f"{path} leads out of a folder: give the path without '..'.")
    path = conf().at(path)
    file = path / kind.bundled if path.is_dir() else path
    if not file.is_file():
        raise SpecNotFound(f"There is no {kind.noun} at {file}.")
    return file.absolute()


def _within(file: Path, folder: Path) -> Path:
    """*file*, unless a link leads out of *folder* by it."""
    if not file.resolve().is_relative_to(folder.resolve()):
        raise SpecNotFound(f"{file} leads out of {folder}: give the path of where it leads to.")
    return file.absolute()
