"""Reading catalogues, and the bundled one."""

import csv
import io
from decimal import Decimal

import pytest

from asgi_app.demo import catalog
from asgi_app.demo.catalog import CatalogError, Product
from asgi_app.demo.data.make_catalog import ROWS, make_catalog

HEADER = "sku,name,category,price,stock,description\n"


def test_the_bundled_file_is_what_its_script_writes() -> None:
    assert catalog.BUNDLED.read_bytes() == make_catalog()


def test_the_bundled_file_has_what_real_files_have() -> None:
    content = catalog.BUNDLED.read_bytes()
    products = catalog.read(catalog.decode(content))
    assert len(products) == ROWS >= 10_000
    assert len(content) <= 1_000_000
    assert len({product.sku for product in products}) == ROWS
    for sign in (",", '"', "\n"):
        assert any(sign in product.name + product.description for product in products)
    assert not all(product.name.isascii() for product in products)


def test_the_bundled_file_is_read_as_the_standard_library_reads_it() -> None:
    text = catalog.BUNDLED.read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["name"] for row in rows] == [product.name for product in catalog.read(text)]


def test_a_row() -> None:
    text = HEADER + 'A-1,"Mug, ""big""",Kitchen,12.9,7,"two\nlines"\n'
    expected = Product("A-1", 'Mug, "big"', "Kitchen", Decimal("12.9"), 7, "two\nlines")
    assert catalog.read(text) == [expected]


def test_columns_may_come_in_any_order_and_case() -> None:
    text = "Name,SKU,price,stock,description, category\nMug,A-1,1,2,,Kitchen\n"
    assert catalog.read(text) == [Product("A-1", "Mug", "Kitchen", Decimal(1), 2, "")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_blank_lines(end: str) -> None:
    text = (HEADER + "\nA,B,C,1,2,\n\n\nD,E,F,3,4,").replace("\n", end)
    assert [product.sku for product in catalog.read(text)] == ["A", "D"]


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    content = (HEADER + "A,B,C,1,2,\n").encode("utf-8-sig")
    assert len(catalog.read(catalog.decode(content))) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"sku,name\nA,\xff\n", "not UTF-8: see line 2"),
        ("sku".encode("utf-16"), "not UTF-8: see line 1"),
        (b"sku\0", "NUL"),
    ],
)
def test_what_is_no_text(content: bytes, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        catalog.decode(content)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it has nothing"),
        ("\n\n", "it has nothing"),
        ("A-1,Mug,Kitchen,1,2,\n", "it has a-1, mug"),
        ("sku,name,category,price,stock\n", "must name sku"),
        ("sku,sku,name,category,price,stock\n", "must name sku"),
        (HEADER.strip() + ",colour\n", "it has .*colour"),
        (HEADER.replace(",", ";"), "it has sku;name"),
        ('"sku', "Line 1 is no CSV"),
    ],
)
def test_a_header_that_is_none(text: str, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        catalog.check_header(text)
    with pytest.raises(CatalogError, match=message):
        catalog.read(text)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("", "a header, but no rows"),
        ("A,B,C,1,2", "Line 2 has 5 fields where the header has 6"),
        ("A,B,C,1,2,,", "Line 2 has 7 fields where the header has 6"),
        (",B,C,1,2,", "Line 2: the sku is missing"),
        ("A, ,C,1,2,", "Line 2: the name is missing"),
        ("A,B,C,free,2,", "Line 2: 'free' is no price"),
        ("A,B,C,-1,2,", "is no price"),
        ("A,B,C,1.999,2,", "is no price"),
        ("A,B,C,1e5,2,", "is no price"),
        ("A,B,C,NaN,2,", "is no price"),
        ("A,B,C,12345678,2,", "is no price"),
        ("A,B,C,1,many,", "Line 2: 'many' is no stock"),
        ("A,B,C,1,٣,", "is no stock"),
        ("A,B,C,1,1_0,", "is no stock"),
        ("A,B,C,1,2.5,", "is no stock"),
        (f"{'A' * 41},B,C,1,2,", "the sku is longer than 40"),
        (f"A,B,C,1,2,{'x' * 1001}", "the description is longer than 1000"),
        (f"A,B,C,1,2,{'x' * 200_000}", "Line 2 is no CSV"),
        ('A,B,C,1,2,"open', "Line 2 is no CSV"),
        ('A,B,C,1,2,"x"y', "Line 2 is no CSV"),
        ('A,B,C,1,2,"x\ny"\nA', "Line 4 has 1 fields"),
    ],
)
def test_a_row_that_is_none(row: str, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        catalog.read(HEADER + row + "\n")
