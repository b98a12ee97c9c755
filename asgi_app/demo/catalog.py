"""A product catalogue in CSV: what one looks like, and reading it. No database here."""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

__all__ = ["BUNDLED", "COLUMNS", "CatalogError", "Product", "check_header", "decode", "read"]

BUNDLED = Path(__file__).parent / "data" / "catalog.csv"
COLUMNS = ("sku", "name", "category", "price", "stock", "description")
LONGEST = {"sku": 40, "name": 200, "category": 80, "description": 1000}  # characters

_PRICE = re.compile(r"[0-9]{1,7}(\.[0-9]{1,2})?")
_STOCK = re.compile(r"[0-9]{1,9}")


class CatalogError(ValueError):
    """The file is no catalogue; the message says where and why, for whoever made the file."""


class Product(NamedTuple):
    """One row of a catalogue."""

    sku: str
    name: str
    category: str
    price: Decimal
    stock: int
    description: str


def decode(content: bytes) -> str:
    """The text of a file: UTF-8, with or without a byte order mark."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CatalogError(f"The file is not UTF-8: see line {line}.") from error
    if "\0" in text:
        raise CatalogError("The file holds NUL characters, so it is no text.")
    return text


def check_header(text: str) -> None:
    """Refuse a text whose first line does not name the columns; the rows are not read."""
    _header(_lines(text))


def read(text: str) -> list[Product]:
    """Every product of the text, in order; the whole text is checked first (RFC 4180)."""
    lines = _lines(text)
    header = _header(lines)
    products = [_product(number, dict(zip(header, row, strict=True))) for number, row in lines]
    if not products:
        raise CatalogError("The file has a header, but no rows.")
    return products


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every row that is not blank, the header first."""
    # newline="" lets the reader see the line ends inside quoted fields as they are.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    width = None
    try:
        for row in reader:
            if not row:
                continue
            width = width or len(row)
            if len(row) != width:
                raise CatalogError(
                    f"Line {reader.line_num} has {len(row)} fields where the header has {width}."
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise CatalogError(f"Line {reader.line_num} is no CSV: {error}.") from error


def _header(lines: Iterator[tuple[int, list[str]]]) -> list[str]:
    _, row = next(lines, (0, []))
    header = [name.strip().lower() for name in row]
    if sorted(header) != sorted(COLUMNS):
        found = ", ".join(header)[:100] or "nothing"
        raise CatalogError(f"The first line must name {', '.join(COLUMNS)}; it has {found}.")
    return header


def _product(line: int, fields: dict[str, str]) -> Product:
    for name, longest in LONGEST.items():
        if len(fields[name]) > longest:
            raise CatalogError(f"Line {line}: the {name} is longer than {longest} characters.")
    for name in ("sku", "name"):
        if not fields[name].strip():
            raise CatalogError(f"Line {line}: the {name} is missing.")
    price, stock = fields["price"].strip(), fields["stock"].strip()
    if not _PRICE.fullmatch(price):
        raise CatalogError(f"Line {line}: {price[:40]!r} is no price, such as 12.90.")
    if not _STOCK.fullmatch(stock):
        raise CatalogError(f"Line {line}: {stock[:40]!r} is no stock, such as 25.")
    return Product(
        fields["sku"], fields["name"], fields["category"], Decimal(price), int(stock),
        fields["description"],
    )  # fmt: skip
