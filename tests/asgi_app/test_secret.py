import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from asgi_app import secret
from asgi_app.secret import kept_secret, private_folder
from tests.processes import ROOT


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"

    made = kept_secret(path)

    assert len(made) >= 50
    assert kept_secret(path) == made
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "deep" / "data")
    kept_secret(folder / "secret_key")

    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_does_not_get_into_a_repository(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "data")

    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    private_folder(tmp_path)

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert list(tmp_path.iterdir()) == []


def test_the_first_of_two_wins(tmp_path: Path) -> None:
    """Both have seen that there is none, and both make one."""
    path = tmp_path / "secret_key"
    secret._make(path)
    first = path.read_text()

    secret._make(path)

    assert path.read_text() == first


def test_processes_that_start_at_once_have_the_same(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret_key"
    program = (
        "import sys, pathlib; from asgi_app.secret import *; path = pathlib.Path(sys.argv[1]);"
        "print('there', flush=True); sys.stdin.read();"
        "private_folder(path.parent); print(kept_secret(path))"
    )
    read, write = os.pipe()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            cwd=ROOT,
            stdin=read,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    os.close(read)
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"

    os.close(write)  # lets all go at once
    secrets = {process.communicate(timeout=30)[0].strip() for process in processes}

    assert secrets == {path.read_text().strip()}


@pytest.mark.parametrize("content", ["", "short\n", "ü" * 60])
def test_a_file_that_holds_none_is_not_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secret_key"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ImproperlyConfigured, match="secret_key"):
        kept_secret(path)

    assert path.read_text(encoding="utf-8") == content


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ImproperlyConfigured, match=r"^HEADWAY_DATA: .*file"):
        private_folder(tmp_path / "file" / "data")
