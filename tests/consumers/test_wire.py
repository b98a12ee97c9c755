"""Frames and close codes."""

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from consumers.wire import CloseCode, close_reason, farewell, frame, text_frame, type_of
from tasks.events import Event, envelope

from .fakes import envelope_of

RUN = UUID("0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071")


def test_a_frame_is_an_event_of_an_event_stream() -> None:
    line = envelope_of(RUN, 7, "progress")
    assert frame(7, line) == b"id: 7\nevent: progress\ndata: " + line + b"\n\n"


def test_the_type_is_the_envelopes_and_not_the_datas() -> None:
    event = Event(3, "log", datetime.now(UTC), '{"type":"finished"}')
    assert type_of(envelope(RUN, event).encode()) == b"log"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
def test_a_text_frame_is_a_whole_message(size: int) -> None:
    """As a client's library understands it."""
    client = ClientProtocol(parse_uri("ws://testserver/"), state=OPEN, max_size=None)
    client.receive_data(text_frame(b"x" * size) + text_frame("é".encode()))
    first, second = client.events_received()
    assert first == Frame(Opcode.TEXT, b"x" * size)
    assert second == Frame(Opcode.TEXT, "é".encode())


def test_farewells_spread_the_reconnects_over_six_seconds() -> None:
    found = [re.fullmatch(rb"retry: (\d+)\n\n", farewell()) for _ in range(500)]
    delays = [int(match[1]) for match in found if match]
    assert len(delays) == 500
    assert min(delays) >= 500
    assert 5_000 < max(delays) - min(delays) <= 6_000


@pytest.mark.parametrize("code", list(CloseCode))
def test_autobahn_sends_our_codes(code: CloseCode) -> None:
    assert code == 1000 or 3000 <= code <= 4999


def test_a_reason_fits_a_close_frame_and_stays_text() -> None:
    assert close_reason("short") == "short"
    cut = close_reason("é" * 100)
    assert cut == "é" * 61
