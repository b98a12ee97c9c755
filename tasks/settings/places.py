"""Folders, as a setting names them."""

from pathlib import Path

__all__ = ["ABSOLUTE", "WANTS", "are_folders", "is_absolute"]

WANTS = "a list of folders"
ABSOLUTE = "the absolute path of a folder"


def are_folders(value: object) -> bool:
    """Whether *value* has that form; whether they are there is another question."""
    return isinstance(value, list | tuple) and all(isinstance(item, str | Path) for item in value)


def is_absolute(value: object) -> bool:
    """Whether *value* means the same folder in every process."""
    return isinstance(value, str | Path) and Path(value).is_absolute()
