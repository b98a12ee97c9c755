"""Several envelopes in a frame, of several runs."""

import json

import pytest

from consumers.feeds.hub import Hub

from ..bundleclient import Client
from ..connections import PATIENCE
from ..fakes import envelope_of, seqs
from ..rows import stored

pytestmark = pytest.mark.usefixtures("anyone")


async def test_several_envelopes_a_frame_for_who_asks(hub: Hub) -> None:
    run = await stored(events=1_000, finish=True)
    client = await Client("batch=1").open()
    await client.ask("subscribe", run=run.pk)
    frames: list[list[int]] = []
    while True:
        message = await client.ws.receive_output(PATIENCE)
        lines = [json.loads(line) for line in message["text"].split("\n")]
        if "op" in lines[0]:
            break
        frames.append([line["seq"] for line in lines])
    assert [seq for frame in frames for seq in frame] == seqs(1, 1_000)
    assert len(frames) < 10
    await client.leave()


async def test_what_came_together_leaves_in_one_frame(hub: Hub) -> None:
    runs = [await stored(events=2) for _ in range(20)]
    client = await Client("batch=1").open()
    for run in runs:
        await client.say("subscribe", run=run.pk, after=2)
    for _ in runs:
        assert (await client.hear())["ok"]
    for run in runs:
        run_id = str(run.pk)
        hub._feeds[run_id].offer(3, [envelope_of(run.pk, 3)])  # as one message of the layer does
    message = await client.ws.receive_output(PATIENCE)
    found = [json.loads(line) for line in message["text"].split("\n")]
    assert {one["run"] for one in found} == {str(run.pk) for run in runs}
    assert [one["seq"] for one in found] == [3] * len(runs)
    await client.leave()
