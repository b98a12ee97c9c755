"""Malformed requests and frames beside streams: they are refused, and nobody notices."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tasks.states import TERMINAL
from tests.chaos.service.client import enqueue
from tests.e2e.bystanders import undisturbed
from tests.e2e.hostile import Attack, fire, http_attacks, websocket_attacks
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve, Show

# What they get to before they are refused is the same on both.
pytestmark = [pytest.mark.e2e, pytest.mark.embedded]

ATTACKS = {"http": http_attacks, "websocket": websocket_attacks}
BATCH = 20
FINE = {501, 503}  # that say so themselves: no metrics here, too many streams


class Prey:
    """A run that is attacked. Now and then a request is a good one, and ends it."""

    def __init__(self, server: LiveServer, ledger: Ledger, over: Path) -> None:
        self._enqueue = partial(enqueue, server, "tick_until", str(over), 0.02)
        self._ledger = ledger
        self._run_id = self._enqueue()

    @property
    def run_id(self) -> str:
        if self._ledger.run(self._run_id).status in TERMINAL:
            self._run_id = self._enqueue()
        return self._run_id


def attack(server: LiveServer, kind: str, count: int, prey: Prey) -> Counter[int]:
    """At least *count* attacks; the statuses that came back."""
    statuses: Counter[int] = Counter()

    @given(st.lists(ATTACKS[kind], min_size=BATCH))
    @settings(
        max_examples=count // BATCH,
        deadline=None,
        database=None,
        # What fails depends on what came before: there is nothing to be made smaller.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def some(attacks: Sequence[Attack]) -> None:
        found = asyncio.run(fire(server.port, attacks, prey.run_id))
        statuses.update(found)
        assert not [status for status in found if status >= 500 and status not in FINE]
        assert "Traceback" not in server.output

    some()
    return statuses


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # of long examples
@pytest.mark.parametrize("kind", ATTACKS)
@pytest.mark.parametrize(
    "count",
    [
        pytest.param(100, id="short", marks=pytest.mark.timeout(180)),
        pytest.param(10_000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(3000)]),
    ],
)
def test_nobody_notices(
    serve: Serve, ledger: Ledger, tmp_path: Path, show: Show, kind: str, count: int
) -> None:
    # What is read of logs is kept, up to that.
    server = serve(replay_bytes=1 << 20, feed_bytes=1 << 16).start()
    over = tmp_path / "over"
    prey = Prey(server, ledger, over)
    page = [Attack((b"GET / HTTP/1.1\r\n\r\n",))] * 50

    def warm_up() -> None:
        asyncio.run(fire(server.port, page, prey.run_id))

    with undisturbed(server, ledger, over, show, warm_up):
        statuses = attack(server, kind, count, prey)
    show(f"{kind}: {sum(statuses.values())} answers {dict(statuses)}")
