"""Event streams of HTML."""

import pytest

from consumers.feeds.hub import Hub

from ..connections import HttpStream, events_path
from ..fragmentblocks import blocks
from ..rows import emit, stored


@pytest.mark.usefixtures("anyone")
class TestOverHttp:
    async def test_a_run_to_its_end(self, hub: Hub) -> None:
        run = await stored(events=3)
        stream = await HttpStream(events_path(run.pk), "as=html").open()
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        body = b""
        while len(blocks(body)) < 3:
            body += await stream.chunk()
        await emit(run, 2)
        await emit(run, 1, finish=True)
        body += await stream.body()
        found = blocks(body)
        assert [block.id for block in found] == list("123456")
        assert [block.event for block in found] == ["step"] * 5 + ["finished"]
        assert "<b>step</b>" in found[0].data
        assert hub.watched == 0

    async def test_it_goes_on_where_it_was(self, hub: Hub) -> None:
        run = await stored(events=4, finish=True)
        headers = [(b"last-event-id", b"2")]
        stream = await HttpStream(events_path(run.pk), "as=html", headers).open()
        assert [block.id for block in blocks(await stream.body())] == ["3", "4"]
        headers = [(b"last-event-id", b"4")]
        stream = await HttpStream(events_path(run.pk), "as=html", headers).open()
        assert stream.status == 204

    async def test_with_the_state_first(self, hub: Hub) -> None:
        run = await stored(events=4)
        stream = await HttpStream(events_path(run.pk), "as=html&after=latest").open()
        [state] = blocks(await stream.chunk())
        assert (state.id, state.event) == ("4", "snapshot")
        assert "Running" in state.data
        await stream.disconnect()

    async def test_of_many_runs(self, hub: Hub) -> None:
        one, two = await stored(events=2, finish=True), await stored(events=3, finish=True)
        path = "/tasks/events/"
        query = f"run={one.pk}&run={two.pk}"
        stream = await HttpStream(path, f"{query}&as=html").open()
        found = blocks(await stream.body())
        assert [block.event for block in found].count("finished") == 2
        plain = await HttpStream(path, query).open()
        assert {block.id for block in blocks(await plain.body())} >= {found[-1].id}
        after = [(b"last-event-id", found[-2].id.encode())]
        stream = await HttpStream(path, f"{query}&as=html", after).open()
        assert [block[:2] for block in blocks(await stream.body())] == [found[-1][:2]]
        stream = await HttpStream(path, f"{query}&as=html&after=latest").open()
        shown = blocks(await stream.body())
        assert [block.event for block in shown] == ["snapshot"] * 2

    @pytest.mark.parametrize("form", ["xml", "", "HTML"])
    async def test_another_form_is_refused(self, hub: Hub, form: str) -> None:
        run = await stored(events=1)
        for path in (events_path(run.pk), "/tasks/events/"):
            stream = await HttpStream(path, f"run={run.pk}&as={form}").open()
            assert stream.status == 400
            assert stream.json["error"]["code"] == "bad_request"

    async def test_a_list_has_no_such_form(self, hub: Hub) -> None:
        stream = await HttpStream("/tasks/feed/", "as=html").open()
        assert (stream.status, stream.json["error"]["code"]) == (400, "bad_request")

    async def test_json_may_be_asked_for(self, hub: Hub) -> None:
        run = await stored(events=1, finish=True)
        stream = await HttpStream(events_path(run.pk), "as=json").open()
        [block] = blocks(await stream.body())
        assert block.data.startswith('{"run":')
