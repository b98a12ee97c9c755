"""One process serves, another executes, and both share nothing but the database."""

import pytest

from tests.chaos.service.client import enqueue
from tests.ledger import Ledger
from tests.stacks import Serve, Stack
from tests.watchers import SocketWatcher, StreamWatcher, exactly, watching

pytestmark = pytest.mark.e2e


async def test_events_of_a_worker_are_seen_without_polling(serve: Serve, ledger: Ledger) -> None:
    # Polling and reconciliation would take longer than the test may.
    web = serve(role="web", reconcile=3600).start()
    serve(server="worker", poll=3600).start()
    run_id = enqueue(web, "emit", 200, 0.005)
    watchers = [StreamWatcher(web.port, run_id), SocketWatcher(web.port, run_id)]
    async with watching(watchers):
        pass
    exactly(watchers, ledger)


@pytest.mark.servers
async def test_a_layer_in_memory_beside_another_process_is_warned_of(
    serve: Serve, ledger: Ledger, stack: Stack
) -> None:
    other = serve().start()
    await ledger.until(lambda: stack.rows("SELECT id FROM headway_worker"))
    alone = serve()
    del alone.env["REDIS_URL"]
    alone.start()
    alone.wait_line(rf"\(headway\.W010\) .* in memory, and \S+:{other.process.pid}:\S+ executes")
