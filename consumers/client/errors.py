"""What the client raises.

::

    HeadwayClientError
    ├── Refused                the server will not have it: `status`, `code`, `message`
    │   ├── NotAuthenticated   401
    │   ├── Forbidden          403
    │   └── NotFound           404
    └── Unreachable            it could not be reached for as long as `patience` says
"""

import json

__all__ = [
    "Forbidden",
    "HeadwayClientError",
    "NotAuthenticated",
    "NotFound",
    "Refused",
    "Unreachable",
    "refusal",
]


class HeadwayClientError(Exception):
    """Watching is over before the run is."""


class Refused(HeadwayClientError):
    """The server refuses, and would again."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        #: For programs, such as ``no_such_run``; empty if it is not Headway that refuses.
        self.code = code
        self.message = message


class NotAuthenticated(Refused):
    """The token is missing, or no good."""


class Forbidden(Refused):
    """Whoever has this token may not watch this run."""


class NotFound(Refused):
    """There is no such run or task."""


class Unreachable(HeadwayClientError):
    """The server could not be reached for too long."""


_KINDS = {401: NotAuthenticated, 403: Forbidden, 404: NotFound}


def refusal(status: int, body: bytes) -> Refused:
    """The error for an answer."""
    try:
        error = json.loads(body)["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "", "The server refuses."
    return _KINDS.get(status, Refused)(status, code, message)
