"""What Django mails to administrators about an error has no grant either."""

from io import BytesIO
from uuid import uuid4

from django.core.handlers.asgi import ASGIRequest
from django.test import override_settings
from django.views.debug import ExceptionReporter

from consumers.access.shown import conceal, shown_in
from tasks import grants

GRANT = grants.make(uuid4(), "stream", 0, None)


@override_settings(ALLOWED_HOSTS=["testserver"])
def test_no_grant_is_in_a_report() -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/tasks/x/events/",
        "query_string": f"after=3&grant={GRANT}".encode(),
        "headers": [
            (b"host", b"testserver"),
            (b"authorization", f"Bearer {GRANT}".encode()),
        ],
    }
    conceal(scope)
    request = ASGIRequest(scope, BytesIO())
    assert shown_in(dict(request.scope)) == [GRANT, GRANT]
    text = report(request)
    assert "after" in text
    assert GRANT not in text
    scope["headers"] = []
    assert GRANT not in repr(scope)


def report(request: ASGIRequest) -> str:
    """As an error in a view makes one; it shows the variables of each frame."""
    try:
        raise RuntimeError("told to")
    except RuntimeError as error:
        reporter = ExceptionReporter(request, type(error), error, error.__traceback__)
    text: str = reporter.get_traceback_text() + reporter.get_traceback_html()
    return text
