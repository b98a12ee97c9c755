"""What a file says, read from its syntax tree: nothing is imported, nothing runs."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

IMPORTERS = {"import_module", "import_string", "__import__"}


@dataclass(frozen=True)
class Source:
    root: Path
    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(self.root).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)

    @property
    def package(self) -> list[str]:
        """The dotted parts that a relative import starts from."""
        return list(self.path.relative_to(self.root).parent.parts)

    def within(self, *folders: str) -> bool:
        return any(self.name.startswith(f"{folder}/") for folder in folders)

    def belongs_to(self, module: str) -> bool:
        """Whether this is the module, or a part of it when it is a package."""
        return self.name == f"{module}.py" or self.within(module)

    def imports(self, types: bool = True) -> Iterator[tuple[int, str]]:
        """Line and dotted name of every import, wherever in the file it stands.

        `from a import b` counts as `a.b`: b may be a module. Those for *types* alone stand
        under `if TYPE_CHECKING:`.
        """
        for node in ast.walk(self.tree) if types else working(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from ((node.lineno, ".".join([*base, alias.name])) for alias in node.names)
            elif isinstance(node, ast.Call) and called(node) in IMPORTERS:
                yield from ((node.lineno, name) for name in literals(node.args[:1]))

    def _base(self, node: ast.ImportFrom) -> list[str]:
        named = [node.module] if node.module else []
        if not node.level:
            return named
        return [*self.package[: max(0, len(self.package) - node.level + 1)], *named]

    def strings(self) -> Iterator[tuple[int, str]]:
        """Line and value of every string literal that is not a docstring."""
        prose = set(map(id, docstrings(self.tree)))
        for node in ast.walk(self.tree):
            match node:
                case ast.Constant(value=str(text)) if id(node) not in prose:
                    yield node.lineno, text

    def method_calls(self) -> Iterator[tuple[int, str]]:
        """Line and name of every `something.name(...)`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node.lineno, node.func.attr


def working(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that have a part in what the program does."""
    yield node
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            below: list[ast.AST] = [*node.orelse]
        case _:
            below = [*ast.iter_child_nodes(node)]
    for child in below:
        yield from working(child)


def called(node: ast.Call) -> str:
    """The last part of the name that is called, empty when it has none."""
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def literals(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Strings that stand alone as a statement, after a field too."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as text):
                yield text
