"""Grants as clients show them, and as nobody who writes a log gets to see them.

``Authorization: Bearer <grant>``, ``?grant=`` in a URL, or on a WebSocket, whose page can
give it no header, a subprotocol ``headway.grant.<grant>`` beside ``headway``. Only URLs find
their way into logs and error reports, so a grant is taken out of there before anybody looks.
"""

from collections.abc import Iterator
from urllib.parse import unquote_plus

from consumers.asgi import Scope
from tasks.grants import PREFIX

__all__ = ["PROTOCOL", "conceal", "shown_in"]

#: The subprotocol that is accepted where it is offered.
PROTOCOL = "headway"

_OF_GRANT = f"{PROTOCOL}.grant."
_TAKEN = "headway.grants"  # where in the scope those of the URL are kept


def shown_in(scope: Scope) -> list[str]:
    """The grants in a request. A bearer token of another kind is somebody else's."""
    in_query = [value for _, value in _pairs(scope) if value is not None]
    return [*scope.get(_TAKEN, ()), *in_query, *_in_header(scope), *_in_protocols(scope)]


def conceal(scope: Scope) -> bool:
    """Take grants out of a request's URL; whether there were any.

    In the very scope that the server has made: some write their access log from it.
    """
    if not scope.get("query_string"):
        return False
    kept: list[bytes] = []
    taken: list[str] = []
    for pair, grant in _pairs(scope):
        if grant is not None and grant.startswith(PREFIX):
            taken.append(grant)
        else:
            kept.append(pair)
    if taken:
        scope[_TAKEN] = _Unseen(taken)
        scope["query_string"] = b"&".join(kept)
    return bool(taken)


class _Unseen(list[str]):
    """Shows nobody what it holds: a scope may be printed."""

    def __repr__(self) -> str:
        return f"<{len(self)} concealed>"


def _pairs(scope: Scope) -> Iterator[tuple[bytes, str | None]]:
    """Each part of the query, and the value of those that are called ``grant``."""
    query = scope.get("query_string", b"")
    if isinstance(query, str):  # as Django's test client has it
        query = query.encode()
    for pair in query.split(b"&"):
        name, _, value = pair.decode("latin1").partition("=")
        yield pair, unquote_plus(value) if unquote_plus(name) == "grant" else None


def _in_header(scope: Scope) -> Iterator[str]:
    for name, value in scope.get("headers", ()):
        if name == b"authorization":
            scheme, _, token = value.decode("latin1").partition(" ")
            if scheme.lower() == "bearer" and token.strip().startswith(PREFIX):
                yield token.strip()


def _in_protocols(scope: Scope) -> Iterator[str]:
    for name in scope.get("subprotocols", ()):
        if name.startswith(_OF_GRANT):
            yield name.removeprefix(_OF_GRANT)
