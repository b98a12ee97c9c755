"""StreamTasks in Django's admin: their state, live, and actions that start and stop them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.forms import Script
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from consumers.access.auth import Action, allows
from consumers.views.taskview import run_that_would_be
from tasks.conf import conf
from tasks.coordinator import coordinator
from tasks.models import StreamTask, TaskRun
from tasks.streaming.lookup import run_of, stream_models

__all__ = ["StreamTaskAdmin", "register_stream_tasks"]

if TYPE_CHECKING:
    Base = admin.ModelAdmin[StreamTask]
    List = ChangeList
else:
    Base, List = admin.ModelAdmin, ChangeList


class _WithRuns(List):
    """A page of tasks, each with its run: one query for all."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        tasks = cast("Iterable[Any]", self.result_list)
        ids: set[UUID] = {task.run_id for task in tasks if task.run_id}
        runs = TaskRun.objects.using(conf().database).in_bulk(ids)
        for task in tasks:
            task.headway_run = runs.get(task.run_id)


class StreamTaskAdmin(Base):
    """What an admin of your own extends; a model that has none gets this one."""

    list_display = ("__str__", "state", "live_progress", "created_at", "completed_at")
    readonly_fields = ("completed_at", "final_value", "run_id")
    actions = ("start", "stop")

    class Media:
        js = (Script("headway-admin/admin.js", type="module"),)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _WithRuns

    @admin.display(description="state")
    def state(self, task: StreamTask) -> str:
        run = _run(task)
        if task.completed_at is not None:
            text = "completed"
        elif run is None:
            text = "gone" if task.run_id else "not started"
        else:
            text = run.status.lower()
        return format_html('<span data-headway-state="{}">{}</span>', task.run_id or "", text)

    @admin.display(description="progress")
    def live_progress(self, task: StreamTask) -> str:
        """``headway-admin/admin.js`` keeps it up to date while the page is open."""
        run = _run(task)
        return format_html(
            '<span data-headway-run="{}" data-headway-events="{}">{}</span>',
            "" if run is None or run.is_finished else run.pk,
            _events_url(),
            "" if run is None else _described(run.progress),
        )

    @admin.action(description="Start the selected tasks", permissions=["change"])
    def start(self, request: HttpRequest, queryset: Any) -> None:
        started = [task for task in queryset if _start(request, task)]
        self._tell(request, f"{len(started)} started.", len(queryset) - len(started))

    @admin.action(description="Stop the selected tasks", permissions=["change"])
    def stop(self, request: HttpRequest, queryset: Any) -> None:
        stopped = [task for task in queryset if _stop(request, task)]
        self._tell(request, f"{len(stopped)} asked to stop.", len(queryset) - len(stopped))

    def _tell(self, request: HttpRequest, done: str, left: int) -> None:
        rest = f" {left} left as they are." if left else ""
        self.message_user(request, done + rest, messages.WARNING if left else messages.SUCCESS)


def register_stream_tasks() -> None:
    """Give each StreamTask that has no admin this one. After all admins are registered."""
    for model in stream_models():
        if not admin.site.is_registered(model):
            admin.site.register(model, StreamTaskAdmin)


def _run(task: Any) -> TaskRun | None:
    # Outside of a list nobody has read it yet.
    found: TaskRun | None = task.headway_run if hasattr(task, "headway_run") else run_of(task)
    return found


def _start(request: HttpRequest, task: StreamTask) -> bool:
    before = task.run_id
    if _may(request, run_that_would_be(type(task), task.pk), Action.ENQUEUE):
        coordinator.start_task(task)
    return task.run_id != before


def _stop(request: HttpRequest, task: StreamTask) -> bool:
    run = run_of(task)
    if run is None or not _may(request, run, Action.STOP):
        return False
    return bool(coordinator.stop_task(task))


def _may(request: HttpRequest, run: TaskRun, action: Action) -> bool:
    return async_to_sync(allows)(request.user, run, action)


def _events_url() -> str:
    try:
        return reverse("headway:events_of_many")
    except NoReverseMatch:  # a project may leave our URLs out: then nothing is live
        return ""


def _described(progress: Any) -> str:
    """The same as in ``headway-admin/admin.js``."""
    if not isinstance(progress, dict):
        return "" if progress is None else str(progress)
    done = progress.get("done", progress.get("step"))
    total = progress.get("total", progress.get("total_steps"))
    count = "" if done is None else f"{done}" if total is None else f"{done} / {total}"
    return " ".join(filter(None, (count, str(progress.get("message") or ""))))
