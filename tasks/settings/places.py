"""Folders, as a setting names them."""

from pathlib import Path

__all__ = ["WANTS", "are_folders"]

WANTS = "a list of folders"


def are_folders(value: object) -> bool:
    """Whether *value* has that form; whether they are there is another question."""
    return isinstance(value, list | tuple) and all(isinstance(item, str | Path) for item in value)
