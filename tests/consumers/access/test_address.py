"""Whom a connection is counted by."""

import pytest

from consumers.access.address import address_in

SAME = [
    ("192.0.2.7", "192.0.2.7"),
    ("::ffff:192.0.2.7", "192.0.2.7"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
    ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ("fe80::1%eth0", "fe80::/64"),
    # What a proxy may say in their place.
    ("192.0.2.7:4711", "192.0.2.7:4711"),
    ("unknown", "unknown"),
    ("x" * 10_000, "x" * 64),
]


@pytest.mark.parametrize(("client", "counted"), SAME)
def test_addresses(client: str, counted: str) -> None:
    assert address_in({"client": [client, 4711]}) == counted


@pytest.mark.parametrize("client", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "", None])
def test_this_machine_is_everybody(client: str | None) -> None:
    assert address_in({"client": (client, 4711)}) is None


def test_a_unix_socket_has_none() -> None:
    assert address_in({"client": None}) is None
    assert address_in({}) is None
