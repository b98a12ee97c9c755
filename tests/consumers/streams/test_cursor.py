"""What a client may send as a cursor, and what it means."""

import pytest

from consumers.refusal import Refusal
from consumers.streams.cursor import LATEST, place, requested
from consumers.wire import CloseCode


def test_nothing_sent_is_the_beginning() -> None:
    assert requested(None, None) == 0


def test_what_an_event_source_has_seen_comes_before_its_url() -> None:
    assert requested("7", "3") == 7
    assert requested("7", "latest") == 7


def test_after() -> None:
    assert requested(None, "3") == 3
    assert requested(None, "0") == 0
    assert requested(None, "latest") is LATEST
    assert requested(None, str(2**63 - 1)) == 2**63 - 1


BAD = [
    "",
    " 1",
    "-1",
    "+1",
    "1.0",
    "1e3",
    "0x10",
    "1_000",
    "abc",
    "LATEST",
    "1\n",
    "\u0661",  # a digit, in Arabic
    "²",
    str(2**63),
    "9" * 19,
    "9" * 5_000,
    "null",
    "1;DROP",
]


@pytest.mark.parametrize("text", BAD)
def test_malformed(text: str) -> None:
    for sent in ((text, None), (None, text), ("7", text)):
        with pytest.raises(Refusal) as caught:
            requested(*sent)
        assert caught.value.status == 400
        assert caught.value.close_code == CloseCode.BAD_REQUEST


def test_latest_is_no_event_id() -> None:
    with pytest.raises(Refusal):
        requested("latest", None)


def test_the_log_has_a_place_for_it() -> None:
    assert place(0, 5) == 0
    assert place(5, 5) == 5
    assert place(LATEST, 5) == 5


def test_beyond_the_head_says_where_the_head_is() -> None:
    with pytest.raises(Refusal, match="ends at 5") as caught:
        place(6, 5)
    assert caught.value.status == 400
