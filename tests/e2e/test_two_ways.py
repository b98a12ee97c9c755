"""A user's shop, run as Headway's service and inside its own project: the same holds."""

import json
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.e2e.visitor import Envelope, Visitor, until
from tests.e2e.ways import WAYS, Way

# A project with settings of its own, which name SQLite.
pytestmark = [pytest.mark.e2e, pytest.mark.embedded]
own_project = pytest.mark.parametrize("way", ["project"], indirect=True)


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """Served by a daphne of its own, which has to end well and without a traceback."""
    made = WAYS[request.param](tmp_path_factory.mktemp(request.param))
    with made.server as server:
        server.start()
        yield made
        server.terminate()
        assert server.wait() == 0
        assert "Traceback" not in server.output


@pytest.fixture
def ada(way: Way) -> Iterator[Visitor]:
    with way.visitor("ada") as visitor:
        yield visitor


@pytest.fixture
def bob(way: Way) -> Iterator[Visitor]:
    with way.visitor("bob") as visitor:
        yield visitor


@pytest.fixture
def cleo(way: Way) -> Iterator[Visitor]:
    with way.visitor("cleo") as visitor:
        yield visitor


@pytest.fixture
def anonymous(way: Way) -> Iterator[Visitor]:
    with way.visitor() as visitor:
        yield visitor


def watched(way: Way, visitor: Visitor, run: str) -> list[Envelope]:
    """All of a run's events, once it has finished; they are what the log must be."""
    with visitor.stream(way.events(run)) as (response, events):
        assert response.status_code == 200, response.read()
        seen = list(events)
    assert [event["seq"] for event in seen] == [*range(1, len(seen) + 1)]
    assert [event["type"] for event in seen].count("finished") == 1
    return seen


def owner(way: Way, run: str) -> str:
    """How the run's user logs in, as the database joins the two."""
    table, name = way.users
    query = f"SELECT {name} FROM headway_run r JOIN {table} u ON u.id = r.user_id WHERE r.id = ?"
    with closing(sqlite3.connect(way.server.folder / "db.sqlite3")) as database:
        found = database.execute(query, [run.replace("-", "")]).fetchone()
    return str(found[0]) if found else ""


@contextmanager
def an_order(visitor: Visitor) -> Iterator[tuple[str, str]]:
    """A run that is under way, and the path that lets it finish; it will have, in the end."""
    placed = visitor.post("/shop/orders/")
    pay = f"/shop/orders/{placed['order']}/pay/"
    try:
        yield placed["run"], pay
    finally:
        visitor.post(pay)


def test_runs_what_was_installed(way: Way) -> None:
    script = (
        "import json, sys, tasks, consumers, asgi_app;"
        "print(json.dumps([[m.__file__ for m in (tasks, consumers, asgi_app)], sys.path]))"
    )
    done = subprocess.check_output(
        [way.server.python, "-c", script], cwd=way.server.cwd, env=way.server.env, text=True
    )
    files, path = json.loads(done)
    packages = Path(way.server.python).parents[1] / "lib"
    assert all(Path(file).is_relative_to(packages) for file in files)
    assert not any((way.server.cwd / folder / "tests/project").exists() for folder in path)


def test_a_run_is_watched_live_over_both(way: Way, ada: Visitor) -> None:
    with (
        an_order(ada) as (run, pay),
        ada.stream(way.events(run)) as (response, events),
        ada.socket(way.socket(run)) as ws,
    ):
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        frames = ada.frames(ws)
        streamed, framed = until(events, "packed"), until(frames, "packed")
        assert ada.http.get(way.run(run)).json()["status"] == "RUNNING"
        ada.post(pay)
        streamed += events
        framed += frames
    assert [event["type"] for event in streamed] == [
        *("queued", "started", "packed", "paid", "finished")
    ]
    assert framed == streamed == watched(way, ada, run)
    assert ws.close_code == 1000
    assert all(event["at"].endswith("Z") for event in streamed)


def test_the_snapshot_links_to_where_the_run_is(way: Way, ada: Visitor) -> None:
    run = ada.post("/shop/count/")["run"]
    watched(way, ada, run)
    snapshot = ada.http.get(way.run(run)).json()
    assert snapshot["status"] == "SUCCESSFUL"
    assert snapshot["links"]["self"] == way.run(run)
    assert snapshot["links"]["events"] == way.events(run)
    assert snapshot["links"]["websocket"] == way.socket(run)


def test_its_tasks_work_on_its_models(way: Way, ada: Visitor) -> None:
    lines = "\n".join(f"tea-{number},{number * 100}" for number in range(1, 31))
    imported = watched(way, ada, ada.post("/shop/import/", lines)["run"])
    assert imported[-1]["data"]["return_value"] == 30
    assert [e["data"]["done"] for e in imported if e["type"] == "progress"][-1] == 30

    raised = watched(way, ada, ada.post("/shop/prices/")["run"])
    assert raised[-1]["data"]["status"] == "SUCCESSFUL"
    assert len([e for e in raised if e["type"] not in {"queued", "started", "finished"}]) == 30

    # By the decorator of Django's Tasks framework.
    counted = watched(way, ada, ada.post("/shop/count/")["run"])
    assert counted[-1]["data"]["return_value"] == 30


def test_a_run_belongs_to_who_asked(way: Way, ada: Visitor, bob: Visitor) -> None:
    with an_order(ada) as (run, _):
        assert owner(way, run) == f"ada{way.domain}"
    for path, content in (
        ("/shop/import/", "tea-1,100"),
        ("/shop/prices/", ""),
        ("/shop/count/", ""),
    ):
        assert owner(way, bob.post(path, content)["run"]) == f"bob{way.domain}", path


def test_nobody_else_may_watch(way: Way, ada: Visitor, bob: Visitor, anonymous: Visitor) -> None:
    with an_order(ada) as (run, _):
        for visitor, status in ((bob, 403), (anonymous, 401)):
            assert visitor.http.get(way.run(run)).status_code == status
            with visitor.stream(way.events(run)) as (response, _events):
                assert response.status_code == status
            with visitor.socket(way.socket(run)) as ws, pytest.raises(ConnectionClosed):
                ws.recv(timeout=10)
            assert ws.close_code == 4000 + status


def test_who_may_watch_everything_does(way: Way, ada: Visitor, cleo: Visitor) -> None:
    run = ada.post("/shop/count/")["run"]
    assert cleo.http.get(way.run(run)).status_code == 200
    with cleo.socket(way.socket(run)) as ws:
        assert list(cleo.frames(ws)) == watched(way, cleo, run)


def test_the_browser_client_is_served(way: Way, ada: Visitor) -> None:
    page = ada.http.get("/shop/").text
    (url,) = re.findall(r'<script type="module" src="(.+?)">', page)
    assert url.startswith(f"{way.statics}headway/headway.")
    assert "export function watch" in static(way, ada, url)
    elements = static(way, ada, f"{way.statics}headway/elements.js")
    assert re.findall(r'from "\./(\w+\.js)"', elements) == ["headway.js"]
    assert "export " in static(way, ada, f"{way.statics}headway/headway.js")


def static(way: Way, visitor: Visitor, url: str) -> str:
    if way.collected is not None:
        return (way.collected / url.removeprefix(way.statics)).read_text()
    answer = visitor.http.get(url)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    return answer.text


@own_project
def test_its_middleware_sees_the_stream(way: Way, ada: Visitor) -> None:
    with an_order(ada) as (run, _), ada.stream(way.events(run)) as (response, events):
        until(events, "packed")
        assert response.headers["X-Shop"] == "open"
        assert response.headers["X-Customer"] == "ada@shop.example"
        assert float(response.headers["X-Took"]) > 0
        assert response.headers["Content-Language"] == "de"


@own_project
def test_its_websockets_work_beside_ours(way: Way, ada: Visitor, bob: Visitor) -> None:
    with ada.socket("/ws/chat/") as hers, bob.socket("/ws/chat/") as his:
        # Its answer comes by the layer, so whoever has one is in the group.
        for socket in (his, hers):
            socket.send('{"say": "hello"}')
            socket.recv(timeout=10)
        assert his.recv(timeout=10) == '{"from": "ada@shop.example", "said": "hello"}'


@own_project
def test_a_websocket_nobody_knows_is_refused(way: Way, ada: Visitor) -> None:
    with pytest.raises(InvalidStatus) as refused, ada.socket("/ws/unknown/"):
        pass
    assert refused.value.response.status_code == 403


@own_project
def test_its_settings_stay_its_own(way: Way, ada: Visitor) -> None:
    """Its key, folder and database: nothing of the service's is made beside them."""
    made = {path.name for path in way.server.cwd.iterdir()}
    assert "db.sqlite3" in made
    assert not made & {".headway", "secret_key", "data"}
