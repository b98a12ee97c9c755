"""The project's folder, where relative ones begin."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tasks.conf import conf
from tasks.definition.options import Options
from tasks.exceptions import SpecNotFound
from tasks.runners.apart.surroundings import enter
from tasks.specs.folders import FOLDER, TASKSPEC, find, names


@pytest.fixture
def project(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose settings name its folder, in a process that began in another."""
    found, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (found, elsewhere):
        folder.mkdir()
    settings.BASE_DIR = found
    monkeypatch.chdir(elsewhere)
    return found


def spec(folder: Path, name: str = "one") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text('{"name": "one", "target": "tests.app.tasks.add"}')
    return file


def test_what_the_setting_names_comes_first(project: Path, settings: Any) -> None:
    assert conf().home == project
    settings.HEADWAY = {"BASE_DIR": project.parent}
    assert conf().home == project.parent
    assert conf().at("in") == project.parent / "in"
    assert conf().at("/out") == Path("/out")


def test_where_no_setting_names_one_it_is_the_current_one(tmp_path: Path, settings: Any) -> None:
    assert not hasattr(settings, "BASE_DIR")
    assert conf().home is None
    assert conf().at("in") == Path.cwd() / "in"


def test_specs_are_found_wherever_the_process_began(project: Path, settings: Any) -> None:
    own = spec(project / FOLDER)
    assert find("one", TASKSPEC) == own
    assert names(TASKSPEC)["one"] == own
    chosen = spec(project / "chosen")
    settings.HEADWAY = {"SPECS": ["chosen"]}
    assert find("one", TASKSPEC) == chosen
    assert find("./chosen/one.json", TASKSPEC) == find(Path("chosen/one.json"), TASKSPEC) == chosen


def test_those_of_a_folder_that_nobody_named_are_not(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec(tmp_path / FOLDER)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecNotFound):
        find("one", TASKSPEC)


def test_a_working_dir_begins_there(project: Path) -> None:
    (project / "in").mkdir()
    enter(Options(working_dir="in"))
    assert Path.cwd() == project / "in"
    with pytest.raises(ValueError, match="cannot be entered"):
        enter(Options(working_dir="missing"))


@pytest.mark.parametrize("value", ["in", ".", 7, ""])
def test_it_is_the_same_for_every_process(settings: Any, value: object) -> None:
    settings.HEADWAY = {"BASE_DIR": value}
    with pytest.raises(ImproperlyConfigured, match="absolute path of a folder"):
        conf()
