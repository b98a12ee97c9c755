"""StreamTasks in Django's admin."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import include, path

from consumers.admin import StreamTaskAdmin, register_stream_tasks
from tasks.coordinator import coordinator
from tasks.models import TaskRun
from tests.streamed.models import ExampleTask, OddTask
from tests.streamed.twin.models import TwinTask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

urlpatterns = [path("", include("consumers.urls")), path("admin/", admin.site.urls)]

LIST = "/admin/streamed/exampletask/"


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff"))
    return client


def act(browser: Client, action: str, *tasks: Any) -> str:
    chosen = [str(task.pk) for task in tasks]
    answer = browser.post(LIST, {"action": action, "_selected_action": chosen}, follow=True)
    assert answer.status_code == 200
    found = re.search(r'class="(?:success|warning)">([^<]+)<', answer.content.decode())
    assert found is not None
    return found[1]


def cells(browser: Client) -> list[str]:
    page = browser.get(LIST).content.decode()
    return re.findall(r"data-headway-state[^>]*>([^<]*)<", page)


def test_every_model_has_an_admin() -> None:
    for model in (ExampleTask, OddTask, TwinTask):
        assert isinstance(admin.site.get_model_admin(model), StreamTaskAdmin)


def test_an_admin_of_the_projects_own_stays() -> None:
    class Own(admin.ModelAdmin):  # type: ignore[type-arg]
        pass

    admin.site.unregister(ExampleTask)
    admin.site.register(ExampleTask, Own)
    try:
        register_stream_tasks()
        assert isinstance(admin.site.get_model_admin(ExampleTask), Own)
    finally:
        admin.site.unregister(ExampleTask)
        register_stream_tasks()


def test_the_list_shows_states_and_what_is_live(
    browser: Client, django_assert_max_num_queries: Any
) -> None:
    tasks = [ExampleTask._default_manager.create() for _ in range(5)]
    for task in tasks[1:]:
        coordinator.start_task(task)
    runs = list(TaskRun.objects.order_by("id"))
    for run, status in zip(runs, ("RUNNING", "FAILED", "CANCELLED"), strict=False):
        run.status, run.progress = status, {"step": 1, "total_steps": 3, "message": "<b>"}
        run.save()
    TaskRun.objects.filter(pk=runs[3].pk).delete()
    # Session, user, two counts, the page, and the runs of all rows at once.
    with django_assert_max_num_queries(8):
        page = browser.get(LIST).content.decode()
    states = re.findall(r"data-headway-state[^>]*>([^<]*)<", page)
    assert states == ["gone", "cancelled", "failed", "running", "not started"]
    live = re.findall(r'data-headway-run="([^"]+)" data-headway-events="([^"]+)"', page)
    assert live == [(str(runs[0].pk), "/tasks/events/")]
    assert "1 / 3 &lt;b&gt;" in page
    assert re.search(
        r'<script[^>]*src="/static/headway-admin/admin.js"[^>]*type="module"', page
    ) or (re.search(r'<script[^>]*type="module"[^>]*src="/static/headway-admin/admin.js"', page))


def test_actions_start_and_stop(browser: Client) -> None:
    first, second = (ExampleTask._default_manager.create() for _ in range(2))
    assert act(browser, "start", first, second) == "2 started."
    assert cells(browser) == ["ready", "ready"]
    assert act(browser, "start", first, second) == "0 started. 2 left as they are."
    assert TaskRun.objects.count() == 2
    assert act(browser, "stop", first) == "1 asked to stop."
    assert act(browser, "stop", first) == "0 asked to stop. 1 left as they are."
    assert cells(browser) == ["ready", "cancelled"]
    assert act(browser, "start", first) == "1 started."


def test_what_authz_denies_is_not_done(browser: Client, settings: Any) -> None:
    task = ExampleTask._default_manager.create()
    settings.HEADWAY = {"AUTHZ": lambda user, run, action: False}
    assert act(browser, "start", task) == "0 started. 1 left as they are."
    coordinator.start_task(task)
    assert act(browser, "stop", task) == "0 asked to stop. 1 left as they are."
    assert coordinator.is_task_running(task)


def test_who_may_only_look_has_no_actions() -> None:
    task = ExampleTask._default_manager.create()
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_exampletask"))
    client = Client()
    client.force_login(viewer)
    assert cells(client) == ["not started"]
    client.post(LIST, {"action": "start", "_selected_action": [str(task.pk)]})
    assert TaskRun.objects.count() == 0


def test_the_page_of_one(browser: Client) -> None:
    task = ExampleTask._default_manager.create()
    page = browser.get(f"{LIST}{task.pk}/change/")
    assert page.status_code == 200
    assert b'name="final_value"' not in page.content
