"""Write catalog.csv, the catalogue that the demo imports when nobody uploads one.

    python -m asgi_app.demo.data.make_catalog

The same bytes on every machine: what is picked follows from the row's number.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar
from zlib import crc32

__all__ = ["ROWS", "make_catalog"]

ROWS = 12_000

T = TypeVar("T")

MAKERS = (
    "Ålund", "Brückner", "Café Nómada", "Dvořák & Sons", "Elm Street", "Føroya", "Garçon",
    "Hōshi 星", "Ivy", "Jõgi", "Güneş", "Łódź Works", "Señal", "Þór", "Žižka",
)  # fmt: skip
KINDS = ("plain", "large", "small", "folding", "striped", "oak", "linen", 'the "Classic"', "No. 7")
CATALOG = {
    "Kitchen": ("mug", "kettle", "carving board", "whisk", "tin", "pan 28 cm"),
    "Office": ("notebook A5", "lamp", "stapler", "desk tray", 'monitor 27"', 'ruler 12"'),
    "Garden": ("trowel", "watering can", "bench", "seed box", "hose, 20 m", "lantern"),
    "Toys & Games": ("kite", "puzzle", "marbles", "yo-yo", "chess set", "spinning top"),
    "Music": ("tuning fork", "capo", "reed, 2½", "metronome", "strings (6)", "music stand"),
    "Travel": ("rucksack", "umbrella", "map of Zürich", "flask 0.7 l", "money belt", "torch"),
}
NOTES = (
    "", "", "", "Ships in a day", "Packed by hand, made to last", "Two-year warranty",
    'Customers say: "like new"', "≈ 15 % lighter", "Für drinnen & draußen",
    "Last pieces, no returns", "On sale\nuntil the end of the month", "新商品",
)  # fmt: skip


def _pick(number: int, what: str, options: Sequence[T]) -> T:
    # Not random: its methods may pick otherwise in another version of Python.
    return options[crc32(f"{what} of {number}".encode()) % len(options)]


def _rows() -> Iterator[tuple[str, str, str, str, int, str]]:
    for number in range(1, ROWS + 1):
        category = _pick(number, "category", tuple(CATALOG))
        thing = _pick(number, "thing", CATALOG[category])
        name = f"{_pick(number, 'maker', MAKERS)} {thing}, {_pick(number, 'kind', KINDS)}"
        cents = _pick(number, "price", range(95, 25_000, 5))
        price = f"{cents // 100}.{cents % 100:02}"
        stock = _pick(number, "stock", range(500))
        yield f"HW-{number:05}", name, category, price, stock, _pick(number, "note", NOTES)


def make_catalog() -> bytes:
    """The whole file: UTF-8, CRLF line ends (RFC 4180), a header, :data:`ROWS` rows."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("sku", "name", "category", "price", "stock", "description"))
    writer.writerows(_rows())
    return text.getvalue().encode()


if __name__ == "__main__":
    Path(__file__).with_name("catalog.csv").write_bytes(make_catalog())
