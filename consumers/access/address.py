"""Whom connections are counted by."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from consumers.asgi import Scope

__all__ = ["address_in"]

_LENGTH = 64  # characters that are kept of what is no address
_NETWORK = 64  # bits of an IPv6 address that are somebody's; the rest is at their choice


def address_in(scope: Scope) -> str | None:
    """The client's address as the server gives it; of IPv6, the network.

    That is the proxy's word where the server was told to believe it, as daphne is with
    ``--proxy-headers``. None where nothing is known, on a Unix socket, and for this machine:
    what comes from there is a proxy whose word was not asked for, and with it everybody.
    """
    client = scope.get("client")
    if not client or not client[0]:
        return None
    try:
        address = ip_address(client[0])
    except ValueError:
        return str(client[0])[:_LENGTH]
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return None
    return str(address) if isinstance(address, IPv4Address) else _network(address)


def _network(address: IPv6Address) -> str:
    return f"{IPv6Address(int(address) >> _NETWORK << _NETWORK)}/{_NETWORK}"
