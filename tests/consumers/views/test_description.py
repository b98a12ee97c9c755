"""The description in OpenAPI is that of the code: its paths, its methods, its answers."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import AsyncClient
from django.urls import URLPattern

from consumers import urls
from consumers.feeds.hub import Hub
from consumers.views.description import described

from ..conftest import Login
from ..rows import stored

pytestmark = pytest.mark.django_db(transaction=True)

METHODS = {"get", "head", "post", "put", "patch", "delete", "options", "trace"}
ID = "00000000-0000-7000-8000-000000000000"


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method.upper()): operation
        for path, item in described()["paths"].items()
        for method, operation in item.items()
    }


def references(found: object) -> Iterator[str]:
    if isinstance(found, dict):
        if isinstance(found.get("$ref"), str):
            yield found["$ref"]
        for inner in found.values():
            yield from references(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from references(inner)


def resolved(reference: str) -> Any:
    found: Any = described()
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def schema(path: str, method: str, status: int) -> Any:
    answer = operations()[path, method]["responses"][str(status)]
    answer = resolved(answer["$ref"]) if "$ref" in answer else answer
    found = answer["content"]["application/json"]["schema"]
    return resolved(found["$ref"]) if "$ref" in found else found


def names(pattern: URLPattern) -> str:
    return "/" + re.sub("<str:([^>]+)>", r"{\1}", str(pattern.pattern))


async def test_it_has_every_path_and_every_method() -> None:
    offered = set()
    for pattern in urls.urlpatterns:
        path = names(pattern)
        answer = await AsyncClient().options(path.replace("{run_id}", ID))
        assert answer.status_code == 405, path
        offered |= {(path, method) for method in answer["Allow"].split(", ")}
    assert operations().keys() == offered


def test_it_refers_to_what_there_is() -> None:
    for reference in references(described()):
        assert resolved(reference)
    used = set(references(described()))
    for kind in ("schemas", "responses", "parameters"):
        for name in described()["components"][kind]:
            if name != "Envelope":  # that is in event streams, of which OpenAPI 3.1 says little
                assert f"#/components/{kind}/{name}" in used


def test_every_operation_is_one_of_its_own() -> None:
    ids = [operation["operationId"] for operation in operations().values()]
    assert len(set(ids)) == len(ids)
    for (path, method), operation in operations().items():
        assert method.lower() in METHODS
        assert all(answer for answer in operation["responses"].values())
        given = [
            resolved(each["$ref"])["name"]
            for each in operation.get("parameters", ())
            if "$ref" in each
        ]
        assert ("run_id" in given) == ("{run_id}" in path)


async def test_it_is_served_to_everybody() -> None:
    answer = await AsyncClient().get("/tasks/openapi.json")
    assert answer.status_code == 200
    assert json.loads(answer.content) == described()


async def test_a_state_is_as_described(hub: Hub, ann: Login) -> None:
    run = await stored(3, user=ann.user)
    state = (await ann.client.get(f"/tasks/{run.pk}/")).json()
    wanted = schema("/tasks/{run_id}/", "GET", 200)
    assert state.keys() == wanted["properties"].keys() == set(wanted["required"])
    headers = {"Accept": "application/json"}
    page = (await ann.client.get(f"/tasks/{run.pk}/events/", headers=headers)).json()
    assert page.keys() == schema("/tasks/{run_id}/events/", "GET", 200)["properties"].keys()
    envelope = described()["components"]["schemas"]["Envelope"]
    assert page["events"][0].keys() == envelope["properties"].keys()


async def test_a_refusal_is_as_described(anyone: None) -> None:
    for path, status in ((f"/tasks/{ID}/", 404), ("/tasks/x/", 400)):
        answer = await AsyncClient().get(path)
        assert answer.status_code == status
        error = answer.json()["error"]
        wanted = schema("/tasks/{run_id}/", "GET", status)["properties"]["error"]
        assert set(wanted["required"]) <= error.keys() <= wanted["properties"].keys()
