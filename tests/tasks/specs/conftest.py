"""Specs in folders of a test's own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """The project's spec folder."""
    found = tmp_path / "specs"
    found.mkdir()
    settings.HEADWAY = {"SPECS": [str(found)]}
    return found


@pytest.fixture
def write(folder: Path) -> Write:
    """Writes a document to a file in the folder."""

    def write_one(name: str, document: Any) -> Path:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return file

    return write_one
