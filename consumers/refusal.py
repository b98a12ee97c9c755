"""What a client is told when it may not have what it asked for."""

from collections.abc import Mapping

from consumers.wire import CloseCode

__all__ = ["Refusal", "TooMany"]


class Refusal(Exception):
    """A request that is answered with an error, the same one over HTTP and WebSocket.

    *code* is for programs and stays as it is; *message* is for people and never holds
    a secret.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        #: Of a request for many runs, those that are the reason, as it names them.
        self.runs: list[str] = []

    @property
    def close_code(self) -> CloseCode:
        # 503 is what a server says that goes away or is not up yet: come again.
        return CloseCode.GOING_AWAY if self.status == 503 else CloseCode(4000 + self.status)

    @property
    def content(self) -> dict[str, object]:
        named = {"runs": self.runs} if self.runs else {}
        return {"error": {"code": self.code, "message": self.message, **named}}


class TooMany(Refusal):
    """More than a limit allows at the moment."""

    def __init__(self, message: str, retry_after: int) -> None:
        headers = {"Retry-After": str(retry_after)}
        super().__init__(503, "too_many", f"{message} Come again later.", headers)

    @property
    def close_code(self) -> CloseCode:
        return CloseCode.TOO_MANY
