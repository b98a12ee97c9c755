"""The rules of the house, each a function from the sources to the places that break it."""

import ast
import re
from collections.abc import Callable, Container, Iterator
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from .plan import BESIDE, FORBIDDEN, NAMED
from .source import Source

PACKAGES = ("tasks", "consumers", "asgi_app")
FOLDERS = {*PACKAGES, "tests", "deploy", "docs", "requirements", "scripts", ".ci", ".git"}
LONGEST = 250  # lines of a file; migrations are written by a machine
# A module that a browser loads is one file, so that it takes one request and no build step.
LONGEST_MODULE = 1_000

STORE = "tasks/engine/store"  # a module, or a package of that name
# In capitals, or in small letters with the clause that follows: "Select a run" is prose.
SQL = re.compile(
    r"\s*(?:(?:SELECT|INSERT|UPDATE|DELETE)\s"
    r"|select\s.+?\sfrom\s|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s)",
    re.DOTALL,
)
SQL_CALLS = {"raw", "cursor"}

SETTINGS = "asgi_app/settings.py"
GIVEN = "tasks/runners/apart/surroundings.py"  # gives the process of a run its environment
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}

Rule = Callable[[Path], Iterator[str]]


def sources(root: Path) -> Iterator[Source]:
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            yield Source(root, path)


def directions(root: Path) -> Iterator[str]:
    """A package imports only what stands below it."""
    for source in sources(root):
        kept = [names for place, names in FORBIDDEN.items() if source.belongs_to(place)]
        forbidden = [name for names in kept for name in names]
        for line, name in source.imports():
            above = any(f"{name}.".startswith(f"{other}.") for other in forbidden)
            if above and f"{source.name} imports {name}" not in NAMED:
                yield f"{source.name}:{line} imports {name}"


def circles(root: Path) -> Iterator[str]:
    """No module needs one that needs it, not even later, in a function; types may name any."""
    known = {module(source): source for source in sources(root)}
    graph = {
        name: {
            held(imported, known)
            for _, imported in source.imports(types=False)
            if f"{source.name} imports {imported}" not in NAMED
        }
        - {name, ""}
        for name, source in known.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield " → ".join(reversed(error.args[1]))


def module(source: Source) -> str:
    """Its dotted name."""
    return source.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def held(name: str, known: Container[str]) -> str:
    """The module that has *name* or is it; empty if that is not ours."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


def beside(root: Path) -> Iterator[str]:
    """A module stands in a room, or is one of those that lie beside them; a room has a floor."""
    for folder, names in BESIDE.items():
        for path in sorted((root / folder).glob("*.py")):
            if path.stem not in {"__init__", *names.split()}:
                yield f"{folder}/{path.name} stands in no room"
        for path in sorted((root / folder).glob("*/__init__.py")):
            room = path.parent.relative_to(root).as_posix()
            if room not in {*FORBIDDEN, *BESIDE, "tasks/migrations"}:
                yield f"{room}/ has no floor"


def sql(root: Path) -> Iterator[str]:
    """The engine's SQL stands in its store, and the consumers have none."""
    for source in sources(root):
        if not source.within("tasks/engine", "consumers") or source.belongs_to(STORE):
            continue
        for line, text in source.strings():
            if SQL.match(text):
                yield f"{source.name}:{line} holds SQL: {text.strip()[:40]!r}"
        for line, name in source.method_calls():
            if name in SQL_CALLS:
                yield f"{source.name}:{line} calls .{name}()"


def environment(root: Path) -> Iterator[str]:
    """Only the settings read the environment."""
    for source in sources(root):
        if source.name in (SETTINGS, GIVEN):
            continue
        named = set(map(id, settings_module_defaults(source.tree)))
        for node in ast.walk(source.tree):
            match node:
                case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in ENVIRONMENT:
                    if id(node) not in named:
                        yield f"{source.name}:{node.lineno} uses os.{name}"
                case ast.ImportFrom(module="os", names=names):
                    for alias in names:
                        if alias.name in ENVIRONMENT:
                            yield f"{source.name}:{node.lineno} imports os.{alias.name}"


def settings_module_defaults(tree: ast.Module) -> Iterator[ast.expr]:
    """The `os.environ` of `os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)`.

    An entry point names Django's settings with it: a write that has to come before
    the settings can be read.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=target, attr="setdefault"),
                args=[ast.Constant(value="DJANGO_SETTINGS_MODULE"), _],
            ):
                yield target


def length(root: Path) -> Iterator[str]:
    """A file holds one noun."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.suffix not in {".py", ".js"} or "migrations" in path.parts:
                continue
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > (LONGEST_MODULE if "static" in path.parts else LONGEST):
                yield f"{path.relative_to(root).as_posix()} has {lines} lines"


def rooms(root: Path) -> Iterator[str]:
    """The top level holds the folders of the plan, and those that git ignores."""
    listed = root / ".gitignore"
    lines = listed.read_text().splitlines() if listed.exists() else []
    ignored = [line.strip("/") for line in lines if line.endswith("/")]
    for name in sorted(path.name for path in root.iterdir() if path.is_dir()):
        if name not in FOLDERS and not any(fnmatch(name, pattern) for pattern in ignored):
            yield f"{name}/ is no room of this house"


def exports(root: Path) -> Iterator[str]:
    """Every name in `__all__` is bound in its module."""
    for source in sources(root):
        bound = set(bindings(source.tree))
        if "*" in bound or "__getattr__" in bound:
            continue
        for line, name in exported(source.tree):
            if name not in bound:
                yield f"{source.name}:{line} exports {name}, which it does not have"


def exported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=value)
                | ast.AugAssign(target=ast.Name(id="__all__"), value=value)
            ) if isinstance(value, ast.List | ast.Tuple):
                for item in value.elts:
                    if isinstance(item, ast.Constant):
                        yield item.lineno, str(item.value)


def bindings(tree: ast.Module) -> Iterator[str]:
    """Names the module binds; a name bound inside a function counts too, which is harmless."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    yield alias.asname or alias.name.partition(".")[0]


RULES: tuple[Rule, ...] = (directions, circles, beside, sql, environment, length, rooms, exports)
