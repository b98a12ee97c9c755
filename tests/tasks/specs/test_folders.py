"""Finding documents."""

from pathlib import Path
from typing import Any

import pytest

from tasks.exceptions import SpecNotFound
from tasks.specs import folders
from tasks.specs.folders import PIPELINE, TASKSPEC, find, names
from tests.tasks.specs.conftest import Write

APP = Path(__file__).parents[2] / "app" / "taskspecs"


def test_a_path_comes_first(write: Write) -> None:
    file = write("one.json", {})
    assert find(file, TASKSPEC) == find(str(file), TASKSPEC) == file


def test_a_bundle_is_its_folder(write: Write) -> None:
    file = write("report/taskspec.json", {})
    assert find(file.parent, TASKSPEC) == find("report", TASKSPEC) == file


def test_a_path_from_here(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write("one.json", {})
    monkeypatch.chdir(file.parent)
    assert find("./one.json", TASKSPEC) == file


def test_names_by_folder(write: Write) -> None:
    one = write("one.json", {})
    assert find("one", TASKSPEC) == find("one.json", TASKSPEC) == one
    close = write("billing/close.json", {})
    assert find("billing/close", TASKSPEC) == close
    nightly = write("nightly.pipeline.json", {})
    assert find("nightly", PIPELINE) == nightly
    weekly = write("weekly/pipeline.json", {})
    assert find("weekly", PIPELINE) == weekly


def test_a_bundle_before_a_file_and_the_project_before_its_apps(write: Write) -> None:
    assert find("greet", TASKSPEC) == APP / "greet.json"
    own = write("greet.json", {})
    assert find("greet", TASKSPEC) == own
    bundle = write("greet/taskspec.json", {})
    assert find("greet", TASKSPEC) == bundle


def test_the_first_folder_of_the_setting_wins(tmp_path: Path, settings: Any) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.json").write_text("{}")
    settings.HEADWAY = {"SPECS": [tmp_path / "b", tmp_path / "a", tmp_path / "absent"]}
    assert find("one", TASKSPEC) == tmp_path / "b" / "one.json"


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "a/../../secret",
        "..",
        ".hidden",
        "a//b",
        "a\\b",
        "",
        "~/x",
        "a\nb",
        "a\0b",
        "file:///etc/passwd",
        "/../x",
        "./../x",
    ],
)
def test_names_lead_out_of_no_folder(folder: Path, name: str) -> None:
    (folder.parent / "secret.json").write_text("{}")
    with pytest.raises(SpecNotFound):
        find(name, TASKSPEC)


def test_a_link_leads_out_of_no_folder(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    file = write("other.json", {})
    (file.parent / "link.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(SpecNotFound, match="leads out of"):
        find("link", TASKSPEC)


def test_an_unknown_name_says_where_it_was_looked_for(folder: Path) -> None:
    with pytest.raises(SpecNotFound) as raised:
        find("nobody", TASKSPEC)
    assert str(folder) in str(raised.value)
    assert str(APP) in str(raised.value)
    with pytest.raises(SpecNotFound, match="There is no TaskSpec at /nowhere"):
        find("/nowhere/x.json", TASKSPEC)


def test_all_names(write: Write) -> None:
    for name in ("one.json", "deep/two.json", "report/taskspec.json", "report/data/three.json"):
        write(name, {})
    write("nightly.pipeline.json", {})
    write("weekly/pipeline.json", {})
    own = {name for name, file in names(TASKSPEC).items() if not file.is_relative_to(APP)}
    assert own == {"one", "deep/two", "report"}
    assert {"nightly", "weekly"} <= set(names(PIPELINE))
    assert names(TASKSPEC)["greet"] == APP / "greet.json"


def test_folders_that_are_not_there_are_left_out(settings: Any) -> None:
    settings.HEADWAY = {"SPECS": ["/nowhere"]}
    assert folders.folders() == [APP]
