"""Tables of results, and targets that are reached or not."""

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Row", "Table", "Target"]

Row = list[str | float | None]


class Target(NamedTuple):
    """A figure to reach: at most *limit*."""

    what: str
    value: float
    limit: float

    @property
    def reached(self) -> bool:
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = "reached" if self.reached else "MISSED"
        return f"{self.what}: {_text(self.value)}, at most {self.limit:g}: {verdict}"


class Table(NamedTuple):
    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    targets: Sequence[Target] = ()

    def __str__(self) -> str:
        cells = [list(self.columns), *([_text(cell) for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                # Names to the left, numbers to the right.
                cell.rjust(width) if at else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in cells
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([self.title, *lines, *(f"* {target}" for target in self.targets)])


def _text(cell: str | float | None) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.2f}" if abs(cell) >= 1 else f"{cell:.3g}"
