"""The demo's page and forms: what is enqueued, and what is refused before."""

from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from asgi_app.demo import catalog, forms, tasks
from asgi_app.demo.models import CatalogImport
from tasks.models import TaskRun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.demo.urls")]

GOOD = ",".join(catalog.COLUMNS) + "\nA,Mug,Kitchen,1,2,\n"


def file(content: bytes | str, name: str = "mine.csv") -> BytesIO:
    upload = BytesIO(content.encode() if isinstance(content, str) else content)
    upload.name = name
    return upload


def shown(client: Client, response: Any) -> str:
    """The page a form has led to."""
    assert response.status_code == 302
    page = client.get(response["Location"])
    assert page.status_code == 200
    return page.content.decode()


def test_the_page(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    html = page.content.decode()
    assert "None yet." in html
    assert 'id="run"' not in html


def test_nothing_in_the_pages_needs_an_open_content_security_policy(client: Client) -> None:
    source = CatalogImport.objects.create(name="x.csv", text=GOOD)
    started = client.post("/demo/story/")
    htmx = f"/demo/htmx/{TaskRun.objects.get().pk}/"
    for url in ("/", started["Location"], f"/demo/imports/{source.pk}/", htmx):
        html = client.get(url).content.decode()
        assert "style=" not in html
        assert "<style" not in html
        assert " on" not in {part[:3] for part in html.split("<")}
        assert all("src=" in tag for tag in html.split("<script")[1:])
        assert "javascript:" not in html


def test_the_page_with_htmx_is_of_the_demos_runs_alone(client: Client) -> None:
    assert client.get("/demo/htmx/0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071/").status_code == 404
    client.post("/demo/story/")
    run = TaskRun.objects.get()
    html = client.get(f"/demo/htmx/{run.pk}/").content.decode()
    assert f'sse-connect="/tasks/{run.pk}/events/?as=html"' in html


def test_the_bundled_import(client: Client) -> None:
    html = shown(client, client.post("/demo/import/", {"pace": "1500", "via": "websocket"}))
    run = TaskRun.objects.get()
    source = CatalogImport.objects.get()
    assert (source.name, source.text) == ("catalog.csv", "")
    assert run.task == tasks.import_catalog.module_path
    assert (run.args, run.kwargs) == ([source.pk], {"pace": 1500})
    assert f'data-events-url="/tasks/{run.pk}/events/"' in html
    assert f'data-socket-url="/ws/tasks/{run.pk}/"' in html
    assert "Import of catalog.csv" in html
    assert 'value="websocket" checked' in html


def test_an_uploaded_import(client: Client) -> None:
    html = shown(client, client.post("/demo/import/", {"file": file("\ufeff" + GOOD)}))
    source = CatalogImport.objects.get()
    assert (source.name, source.text) == ("mine.csv", GOOD)
    assert "Import of mine.csv" in html


@pytest.mark.parametrize("name", ["<b>&.csv", "a\nb.csv", "é" * 300 + ".csv", "星.csv"])
def test_any_file_name(client: Client, name: str) -> None:
    html = shown(client, client.post("/demo/import/", {"file": file(GOOD, name)}))
    assert "<b>" not in html
    assert len(CatalogImport.objects.get().name) <= 100


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00\x01", "not UTF-8"),
        (b"PK\x03\x04\x00\x00", "NUL"),
        ("A,Mug,Kitchen,1,2,\n", "The first line must name"),
        ("sku,name\nA,Mug\n", "The first line must name"),
        (b"x" * (forms.MAX_UPLOAD + 1), "larger than 2 MB"),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
    ],
    ids=["empty", "utf-16", "zip", "no header", "wrong columns", "too large", "html"],
)
def test_an_upload_that_is_refused(client: Client, content: bytes | str, problem: str) -> None:
    answer = client.post("/demo/import/", {"file": file(content)})
    assert answer.status_code == 400
    assert problem in answer.content.decode()
    assert "<script>" not in answer.content.decode()
    assert not TaskRun.objects.exists()
    assert not CatalogImport.objects.exists()


def test_the_largest_upload_is_taken(client: Client) -> None:
    content = GOOD.encode().ljust(forms.MAX_UPLOAD, b"\n")
    assert client.post("/demo/import/", {"file": file(content)}).status_code == 302


def test_the_story(client: Client) -> None:
    html = shown(client, client.post("/demo/story/", {"via": "sse"}))
    assert TaskRun.objects.get().task == tasks.tell_story.module_path
    assert "A story, token by token" in html
    assert 'value="sse" checked' in html


@pytest.mark.parametrize("via", ["", "pigeon", "\0"])
def test_an_unknown_transport_is_either(client: Client, via: str) -> None:
    html = shown(client, client.post("/demo/story/", {"via": via}))
    assert 'value="auto" checked' in html


def test_the_countdown(client: Client) -> None:
    html = shown(client, client.post("/demo/countdown/", {"seconds": "90"}))
    run = TaskRun.objects.get()
    assert (run.task, run.args) == (tasks.countdown.module_path, [90])
    assert run.max_attempts >= 20
    assert "Countdown from 90" in html


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("/demo/countdown/", {}),
        ("/demo/countdown/", {"seconds": "0"}),
        ("/demo/countdown/", {"seconds": "3601"}),
        ("/demo/countdown/", {"seconds": "1e3"}),
        ("/demo/countdown/", {"seconds": "9" * 5000}),
        ("/demo/countdown/", {"seconds": "\0"}),
        ("/demo/import/", {"pace": "-1"}),
        ("/demo/import/", {"pace": "fast"}),
    ],
)
def test_fields_that_are_refused(client: Client, url: str, fields: dict[str, str]) -> None:
    answer = client.post(url, fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert not TaskRun.objects.exists()


@pytest.mark.parametrize("url", ["/demo/import/", "/demo/story/", "/demo/countdown/"])
def test_watching_starts_nothing_and_a_start_needs_a_token(url: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.get(url).status_code == 405
    assert client.post(url, {"seconds": "5"}).status_code == 403
    assert not TaskRun.objects.exists()


@pytest.mark.parametrize("run", ["nope", str(UUID(int=1)), "\0", "'", "1" * 5000])
def test_a_run_that_there_is_not(client: Client, run: str) -> None:
    page = client.get("/", {"run": run})
    assert page.status_code == 404
    assert "There is no such run." in page.content.decode()


def test_a_run_of_another_task_is_none_of_the_demos(client: Client) -> None:
    from tests.app.tasks import add

    handle = add.enqueue(1, b=2)
    assert client.get("/", {"run": handle.id}).status_code == 404
    assert handle.id not in client.get("/demo/runs/").content.decode()


def test_recent_runs_come_newest_first(client: Client) -> None:
    for seconds in range(1, 11):
        client.post("/demo/countdown/", {"seconds": seconds})
    html = client.get("/demo/runs/").content.decode()
    assert html.count("<li>") == 8
    assert html.index("Countdown from 10") < html.index("Countdown from 9")
    assert "Countdown from 2<" not in html
    assert "ready" in html


def test_the_rows_of_an_import(client: Client) -> None:
    source = CatalogImport.objects.create(name="x.csv", text=GOOD)
    for number in range(1, 61):
        source.rows.create(number=number, sku=f"S-{number}", name="<i>", price=1, stock=2)
    html = client.get(f"/demo/imports/{source.pk}/").content.decode()
    assert "60 rows" in html
    assert "S-50" in html
    assert "S-51" not in html
    assert "<i>" not in html
    assert client.get(f"/demo/imports/{source.pk + 1}/").status_code == 404
    assert client.get(f"/demo/imports/{10**30}/").status_code == 404


def test_the_bundled_file_is_served_as_it_is(client: Client) -> None:
    answer = client.get("/demo/catalog.csv")
    assert answer["Content-Type"] == "text/csv"
    assert b"".join(answer.streaming_content) == catalog.BUNDLED.read_bytes()  # type: ignore[attr-defined]
