"""Each rule reports what breaks it, in a small tree made for the purpose."""

from pathlib import Path
from textwrap import dedent

import pytest

from .rules import (
    LONGEST,
    LONGEST_MODULE,
    beside,
    circles,
    directions,
    environment,
    exports,
    length,
    rooms,
    sql,
)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("tasks/a.py", "import consumers.hub", "tasks/a.py:1 imports consumers.hub"),
        ("tasks/a.py", "import asgi_app", "tasks/a.py:1 imports asgi_app"),
        ("tasks/a.py", "from django import http", "tasks/a.py:1 imports django.http"),
        ("tasks/b/c.py", "from ... import consumers", "tasks/b/c.py:1 imports consumers"),
        ("tasks/a.py", "from ..consumers import hub", "tasks/a.py:1 imports consumers.hub"),
        (
            "consumers/a.py",
            "def f():\n    from asgi_app.settings import X",
            "consumers/a.py:2 imports asgi_app.settings.X",
        ),
        (
            "consumers/a.py",
            "if TYPE_CHECKING:\n    import asgi_app.urls",
            "consumers/a.py:2 imports asgi_app.urls",
        ),
        (
            "tasks/a.py",
            "importlib.import_module('consumers.hub')",
            "tasks/a.py:1 imports consumers.hub",
        ),
        ("asgi_app/a.py", "import tests.settings", "asgi_app/a.py:1 imports tests.settings"),
        (
            "consumers/access/a.py",
            "from consumers.feeds.hub import Hub",
            "consumers/access/a.py:1 imports consumers.feeds.hub.Hub",
        ),
        (
            "tasks/engine/store/a.py",
            "from tasks.engine.news import waiting",
            "tasks/engine/store/a.py:1 imports tasks.engine.news.waiting",
        ),
        (
            "tasks/engine/control.py",
            "def f():\n    from tasks import handles",
            "tasks/engine/control.py:2 imports tasks.handles",
        ),
        (
            "tasks/settings/a.py",
            "from ..definition.options import Options",
            "tasks/settings/a.py:1 imports tasks.definition.options.Options",
        ),
    ],
)
def test_an_import_upwards(tmp_path: Path, name: str, text: str, found: str) -> None:
    write(tmp_path, name, text)
    assert found in list(directions(tmp_path))


def test_imports_downwards_are_fine(tmp_path: Path) -> None:
    write(tmp_path, "asgi_app/a.py", "from consumers import hub\nimport tasks.models")
    write(
        tmp_path, "consumers/a.py", "from tasks import task\nfrom django.http import HttpResponse"
    )
    write(tmp_path, "tasks/a/b.py", "from ..models import TaskRun\nimport consumers_of_others")
    write(tmp_path, "tasks/pipelines/a.py", "from tasks.engine.pipelines.course import Course")
    write(
        tmp_path, "tasks/handles/a.py", "from tasks.engine import control\nimport tasks.specs_of_a"
    )
    assert list(directions(tmp_path)) == []


def test_a_circle(tmp_path: Path) -> None:
    write(tmp_path, "tasks/a.py", "from tasks.b.c import d")
    write(tmp_path, "tasks/b/__init__.py", "")
    write(tmp_path, "tasks/b/c.py", "def f():\n    from ..e import G\n    return G")
    write(tmp_path, "tasks/e.py", "from typing import TYPE_CHECKING\nimport tasks.a")
    (found,) = circles(tmp_path)
    assert set(found.split(" → ")) == {"tasks.a", "tasks.b.c", "tasks.e"}
    write(tmp_path, "tasks/e.py", "if TYPE_CHECKING:\n    import tasks.a")
    assert list(circles(tmp_path)) == []


@pytest.mark.parametrize("name", ["tasks/attic.py", "tasks/engine/posting.py"])
def test_a_module_in_no_room(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, "")
    write(tmp_path, "tasks/conf.py", "")
    write(tmp_path, "tasks/engine/news/posting.py", "")
    assert list(beside(tmp_path)) == [f"{name} stands in no room"]


def test_a_room_without_a_floor(tmp_path: Path) -> None:
    for room in ("tasks/migrations", "tasks/specs", "tasks/engine", "tasks/engine/attic"):
        write(tmp_path, f"{room}/__init__.py", "")
    assert list(beside(tmp_path)) == ["tasks/engine/attic/ has no floor"]


@pytest.mark.parametrize(
    "name", ["tasks/engine/journal.py", "tasks/engine/store_of_others.py", "consumers/hub.py"]
)
@pytest.mark.parametrize(
    "text",
    [
        "sql = 'SELECT 1'",
        "sql = '''\n    INSERT INTO headway_event VALUES (1)'''",
        "sql = f'UPDATE {table} SET a = 1'",
        "sql = 'delete from headway_run'",
        "TaskRun.objects.raw(text)",
        "connection.cursor()",
    ],
)
def test_sql_outside_the_store(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, name, text)
    assert [found.partition(":")[0] for found in sql(tmp_path)] == [name]


def test_sql_in_the_store_and_words_elsewhere_are_fine(tmp_path: Path) -> None:
    write(tmp_path, "tasks/engine/store.py", "connection.cursor().execute('SELECT 1')")
    write(tmp_path, "tasks/engine/store/log.py", "sql = 'SELECT 1'")
    write(
        tmp_path,
        "consumers/api.py",
        '''
        """DELETE is not among the methods."""
        METHODS = ["GET", "DELETE"]
        hint = "Select a run from the list"
        label = "update the page"
        ''',
    )
    assert list(sql(tmp_path)) == []


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ['A']",
        "import os\nos.getenv('A')",
        "from os import path, environ",
        "import os\nos.environ.setdefault('A', 'b')",
    ],
)
@pytest.mark.parametrize("name", ["tasks/conf.py", "consumers/limits.py", "asgi_app/asgi.py"])
def test_the_environment_read_outside_the_settings(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, name, text)
    assert [found.partition(":")[0] for found in environment(tmp_path)] == [name]


def test_the_settings_and_entry_points_may_use_the_environment(tmp_path: Path) -> None:
    write(tmp_path, "asgi_app/settings.py", "import os\nos.environ['A']")
    write(
        tmp_path,
        "asgi_app/asgi.py",
        "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'asgi_app.settings')",
    )
    assert list(environment(tmp_path)) == []


@pytest.mark.parametrize(
    ("name", "longest"),
    [("tasks/a.py", LONGEST), ("consumers/static/headway/a.js", LONGEST_MODULE)],
)
def test_a_long_file(tmp_path: Path, name: str, longest: int) -> None:
    write(tmp_path, name, "1\n" * longest)
    assert list(length(tmp_path)) == []
    write(tmp_path, name, "1\n" * (longest + 1))
    assert list(length(tmp_path)) == [f"{name} has {longest + 1} lines"]


def test_long_migrations_and_data_are_fine(tmp_path: Path) -> None:
    write(tmp_path, "tasks/a.py", "1\n" * LONGEST)
    write(tmp_path, "tasks/migrations/0001_initial.py", "1\n" * 999)
    write(tmp_path, "asgi_app/demo/data/rows.csv", "1\n" * 999)
    assert list(length(tmp_path)) == []


def test_a_strange_folder(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", ".venv*/\n/dist/\n*.log\n")
    for name in ("tasks", ".ci", ".venv313", "dist", "utils", ".hidden", "a.log"):
        (tmp_path / name).mkdir()
    assert [found.partition("/")[0] for found in rooms(tmp_path)] == [".hidden", "a.log", "utils"]


def test_a_name_exported_in_vain(tmp_path: Path) -> None:
    write(
        tmp_path,
        "tasks/a.py",
        """
        from .b import c as d
        __all__ = ["Gone", "d", "f", "g"]
        def f(): ...
        g: int = 1
        """,
    )
    assert list(exports(tmp_path)) == ["tasks/a.py:2 exports Gone, which it does not have"]
