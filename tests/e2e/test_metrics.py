"""The figures of real servers, and of one that has no library for it."""

from pathlib import Path

import httpx
import pytest
from django.core.management.base import CommandError
from prometheus_client.parser import text_string_to_metric_families

from tasks.management.commands.headway_worker import expose
from tests.chaos.service.client import enqueue, enqueue_many
from tests.chaos.service.marks import leave
from tests.processes import free_port
from tests.stacks import Serve
from tests.watchers import SocketWatcher, StreamWatcher, watching

pytestmark = pytest.mark.e2e

TOKEN = "a-token-of-the-test"


class Figures:
    """What one scrape gives."""

    def __init__(self, url: str) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = httpx.get(f"{url}/metrics", headers=headers, timeout=30).raise_for_status()
        families = text_string_to_metric_families(answer.text)
        self._samples = [sample for family in families for sample in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples that have these labels."""
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


async def test_a_server_tells_what_it_does(serve: Serve, tmp_path: Path) -> None:
    server = serve(metrics_token=TOKEN, concurrency=3).start()
    end = str(tmp_path / "end")
    run_id, *_ = enqueue_many(server, "rest_until", *[(end,)] * 5)
    watchers = [StreamWatcher(server.port, run_id), SocketWatcher(server.port, run_id)]
    async with watching(watchers):
        for watcher in watchers:
            await watcher.reach(3)
        during = Figures(server.url)
        leave(end, "now")
    assert during.total("headway_process_running", queue="default") == 3
    assert during.total("headway_process_capacity") == 3
    assert during.total("headway_runs_running", queue="default") == 3
    assert during.total("headway_runs_waiting", queue="default") == 2
    assert 0 < during.total("headway_queue_latency_seconds", queue="default") < 60
    assert during.total("headway_watchers", transport="sse") == 1
    assert during.total("headway_watchers", transport="websocket") == 1
    assert during.total("headway_feeds") == 1
    assert during.total("headway_lists") == 0
    assert during.total("headway_buffered_bytes") >= 0

    assert during.total("headway_database_readable") == 1
    after = Figures(server.url)
    assert after.total("headway_attempts_total", ending="returned", status="SUCCESSFUL") >= 1
    assert after.total("headway_events_delivered_total") == 2 * 4
    assert after.total("headway_commit_duration_seconds_count") > 0
    assert after.total("headway_events_published_total") >= 3
    assert after.total("headway_publish_to_flush_seconds_count") > 0
    assert after.total("headway_replays_total") > 0
    assert after.total("process_resident_memory_bytes") > 0


def test_strangers_read_nothing(serve: Serve) -> None:
    server = serve(role="worker", metrics_token=TOKEN).start()
    assert httpx.get(f"{server.url}/metrics").status_code == 401
    assert Figures(server.url).total("headway_process_capacity") == 200


def test_a_worker_has_a_port_for_it(serve: Serve) -> None:
    port = free_port()
    worker = serve(server="worker")
    worker.arguments = ("--metrics", f"127.0.0.1:{port}")
    worker.start()
    figures = Figures(f"http://127.0.0.1:{port}")
    assert figures.total("headway_process_capacity") == 200
    assert figures.total("headway_workers") == 1
    while not figures.total("headway_event_loop_lag_seconds_count"):
        figures = Figures(f"http://127.0.0.1:{port}")

    second = serve(server="worker")
    second.arguments = worker.arguments
    second.start(wait=False)
    assert second.wait() == 1
    assert f"--metrics: 127.0.0.1:{port} cannot be served" in second.output


@pytest.mark.parametrize("address", ["9100", ":9100", "127.0.0.1:", "127.0.0.1:http"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(CommandError, match="must be HOST:PORT"):
        expose(address)


def test_nothing_else_is_missing_without_the_libraries(serve: Serve, tmp_path: Path) -> None:
    for name in ("prometheus_client", "opentelemetry"):
        (tmp_path / f"{name}.py").write_text("raise ImportError")
    server = serve(metrics_token=TOKEN)
    server.env["PYTHONPATH"] = str(tmp_path)
    server.start()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx.get(f"{server.url}/metrics", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "not_installed")
    run_id = enqueue(server, "emit", 3)
    events = httpx.get(f"{server.url}/tasks/{run_id}/events/", timeout=20)
    assert events.text.count("\nevent: ") == 6
