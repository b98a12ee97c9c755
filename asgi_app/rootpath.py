"""A ``Daphne-Root-Path`` that daphne cannot read: 400, not its own 500 with a traceback."""

from functools import cache
from typing import Any

__all__ = ["careful_protocols"]


def careful_protocols(factory: Any) -> None:
    """Have daphne's factory make connections whose requests look at the header first."""
    from daphne.http_protocol import WebRequest

    build = factory.buildProtocol

    def careful_protocol(address: Any) -> Any:
        protocol = build(address)
        protocol.requestFactory = _careful(WebRequest)
        return protocol

    factory.buildProtocol = careful_protocol


@cache
def _careful(request: Any) -> Any:
    class Careful(request):  # type: ignore[misc]
        def process(self) -> Any:
            given = self.requestHeaders.getRawHeaders(b"daphne-root-path", [])
            if all(value.isascii() for value in given):
                return super().process()
            return self.basic_error(400, b"Bad Request", "Invalid root path")

    return Careful
