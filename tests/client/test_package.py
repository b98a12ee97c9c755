"""The folder of the client as a package for npm: complete, and of the same version."""

import json
import re
import tomllib
from typing import Any

from tests.processes import ROOT

FOLDER = ROOT / "consumers" / "static" / "headway"
PACKAGE: dict[str, Any] = json.loads((FOLDER / "package.json").read_text())


def test_it_has_all_files_and_names_no_other() -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"package.json"}
    assert set(PACKAGE["files"]) == files
    named = {name for entry in PACKAGE["exports"].values() for name in entry.values()}
    assert {name.removeprefix("./") for name in named} == files


def test_it_is_of_the_same_version_and_needs_nothing() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (PACKAGE["name"], PACKAGE["version"]) == (project["name"], project["version"])
    assert "dependencies" not in PACKAGE


def test_what_is_typed_is_there() -> None:
    """There is no type checker here; names at least are the same."""
    for module in ("headway", "elements"):
        public = re.compile(r"^export (?:class|function|interface) (\w+)", re.MULTILINE)
        typed = (FOLDER / f"{module}.d.ts").read_text()
        code = (FOLDER / f"{module}.js").read_text()
        values = re.findall(r"^export (?:class|function) (\w+)", typed, re.MULTILINE)
        assert values
        assert set(values) <= set(public.findall(code))
