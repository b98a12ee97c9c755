"""All web processes restarted one after the other, under watchers and a steady load."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.chaos.service.client import enqueue_many
from tests.deploy.knocking import Call, Knocks, knocking
from tests.deploy.site import Site, site
from tests.ledger import Ledger
from tests.stacks import SERVICE, Show
from tests.watchers import End, SocketWatcher, StreamWatcher, Watcher, exactly, watching

pytestmark = pytest.mark.e2e

LOAD: Call = (f"{SERVICE}.tasks.emit", [5])

SHORT = {"watchers": 30, "runs": 5, "rounds": 1, "spread": 3.0}
LONG = {"watchers": 500, "runs": 20, "rounds": 3, "spread": 5.0}


def crowd(port: int, ids: Sequence[str], count: int, rng: random.Random) -> list[Watcher]:
    """Half over event streams, half over WebSockets; each comes again when it is told to."""
    return [
        (StreamWatcher, SocketWatcher)[number % 2](port, rng.choice(ids), obedient=True)
        for number in range(count)
    ]


async def restarted(served: Site, watchers: Sequence[Watcher], ledger: Ledger) -> list[list[float]]:
    """Restart one web process after the other; how long its watchers took to come again."""
    waves = []
    for process in served.web:
        before = [len(watcher.returns) for watcher in watchers]
        began = asyncio.get_running_loop().time()
        await asyncio.to_thread(process.restart)
        heads = {item.run_id: ledger.run(item.run_id).last_seq for item in watchers}
        for watcher in watchers:
            # Whoever has an event from after the restart is there, or has come again.
            await watcher.reach(heads[watcher.run_id] + 1)
        waves.append(
            [
                watcher.returns[-1] - began
                for watcher, known in zip(watchers, before, strict=True)
                if len(watcher.returns) > known
            ]
        )
    return waves


def peak(wave: Sequence[float]) -> int:
    """The most that came in one half of a second."""
    return max(Counter(int(moment * 2) for moment in wave).values())


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
async def test_a_rolling_restart_is_not_noticed(
    servers: Mapping[str, str],
    tmp_path: Path,
    rng: random.Random,
    show: Show,
    numbers: Mapping[str, int],
) -> None:
    end = tmp_path / "end"
    with site(tmp_path / "site", servers) as (served, stack):
        ledger = Ledger(stack)
        calls = [(str(end), rng.uniform(0.2, 0.8)) for _ in range(numbers["runs"])]
        ids = await asyncio.to_thread(enqueue_many, served, "tick_until", *calls)
        watchers = crowd(served.port, ids, numbers["watchers"], rng)
        waves = []
        async with watching(watchers):
            for watcher in watchers:
                await watcher.reach(3)  # queued, started, a tick
            async with knocking(served.url, LOAD, hands=2) as knocks:
                for _ in range(numbers["rounds"]):
                    waves += await restarted(served, watchers, ledger)
            end.touch()
        exactly(watchers, ledger)
        await all_done(knocks, ledger)
        told(show, waves, knocks)
        untroubled(served, watchers, knocks)
    assert len(watchers) <= sum(map(len, waves))
    for each in waves if numbers is LONG else [[moment for wave in waves for moment in wave]]:
        assert max(each) - min(each) >= numbers["spread"]


async def all_done(knocks: Knocks, ledger: Ledger) -> None:
    assert knocks.ids
    for run_id in knocks.ids:
        await ledger.until_finished(run_id)


def told(show: Show, waves: Sequence[Sequence[float]], knocks: Knocks) -> None:
    for wave in filter(None, waves):  # nginx may have sent nobody to a process
        spread = max(wave) - min(wave)
        show(f"{len(wave)} came again over {spread:.1f} s, at most {peak(wave)} in half a second")
    show(f"the load meanwhile: {knocks}")


def untroubled(served: Site, watchers: Sequence[Watcher], knocks: Knocks) -> None:
    """Nobody was refused or cut off, neither here nor behind nginx."""
    assert set(knocks.answers) == {200, 201}, knocks
    ends = Counter(end for watcher in watchers for end in watcher.ends)
    assert set(ends) <= {End.FAREWELL, End.FINISHED, End.NOTHING_LEFT}, ends
    assert set(served.nginx.answers()) <= {101, 200, 201, 204}, served.nginx.answers()
    for trouble in ("refused", "no live upstreams", "prematurely closed"):
        assert trouble not in served.nginx.output, served.nginx.output
    for process in served.processes:
        assert "Traceback" not in process.output, process.output
