"""Who may look at a StreamTask."""

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from consumers.feeds.hub import Hub
from tasks.models import TaskRun
from tests.streamed.models import ExampleTask

from ..conftest import Login
from ..connections import HttpStream
from .taskreader import JSON, finished, made, path


async def test_a_viewer_is_authorised(engine: None, ann: Login, bob: Login, staff: Login) -> None:
    task = await made(ExampleTask)
    await finished(task)
    user = await sync_to_async(get_user_model().objects.get)(username="ann")
    await TaskRun.objects.filter(pk=task.run_id).aupdate(user=user)
    for login, status in ((ann, 200), (bob, 403), (staff, 200)):
        for headers in ([login.cookie], [login.cookie, *JSON]):
            stream = await HttpStream(path(task), headers=headers).open()
            assert stream.status == status
            if not stream.content:
                await stream.body()
    assert (await HttpStream(path(task)).open()).status == 401


async def test_who_may_not_look_is_not_told_what_there_is(
    hub: Hub, bob: Login, staff: Login
) -> None:
    task = await made(ExampleTask)
    for login, statuses in ((None, (401, 401)), (bob, (403, 403)), (staff, (200, 404))):
        headers = [login.cookie] if login else []
        there = await HttpStream(path(task), headers=headers).open()
        missing = await HttpStream("/stream/ExampleTask/999", headers=headers).open()
        assert (there.status, missing.status) == statuses
