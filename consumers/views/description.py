"""The description of the HTTP surface, in OpenAPI: kept by hand, and held to the code by tests."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from consumers.views.answer import json_answer

__all__ = ["describe", "described"]

_FILE = Path(__file__).with_name("openapi.json")


@cache
def described() -> dict[str, Any]:
    """The description as it stands in the file."""
    found: dict[str, Any] = json.loads(_FILE.read_text())
    return found


async def describe(request: HttpRequest) -> HttpResponse:
    """``GET tasks/openapi.json``."""
    # Where the project has included our URLs.
    root = reverse("headway:runs").removesuffix("tasks/")
    return json_answer(described() | {"servers": [{"url": root}]})
