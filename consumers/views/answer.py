"""JSON responses."""

from collections.abc import Mapping

from django.http import HttpResponse

from consumers.refusal import Refusal
from tasks.codec import encode

__all__ = ["json_answer", "refusal_answer"]


def json_answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """A run changes at any moment, so its state is for nobody's cache."""
    response = HttpResponse(encode(content), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def refusal_answer(refusal: Refusal) -> HttpResponse:
    return json_answer(refusal.content, refusal.status, refusal.headers)
