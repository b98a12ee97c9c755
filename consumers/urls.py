"""Headway's URLs; a project includes them where it likes, once."""

from django.urls import path

from consumers import (
    api,
    bundlestream,
    description,
    health,
    liststream,
    metrics,
    sse,
    taskview,
)
from consumers.endpoint import endpoint, streaming

__all__ = ["app_name", "urlpatterns"]

app_name = "headway"

# The id is any text here, so that a malformed one is refused by us and in JSON.
urlpatterns = [
    path("tasks/", endpoint(POST=api.enqueue_run), name="runs"),
    path(
        "tasks/events/",
        endpoint(GET=streaming(bundlestream.events_of_many)),
        name="events_of_many",
    ),
    path("tasks/feed/", endpoint(GET=streaming(liststream.changes_of_runs)), name="feed"),
    path("tasks/openapi.json", endpoint(GET=description.describe), name="openapi"),
    path("tasks/<str:run_id>/", endpoint(GET=api.show_run, HEAD=api.show_run), name="run"),
    path("tasks/<str:run_id>/events/", endpoint(GET=streaming(sse.events)), name="events"),
    path("tasks/<str:run_id>/stop/", endpoint(POST=api.stop_run), name="stop"),
    path("tasks/<str:run_id>/send/", endpoint(POST=api.send_to_run), name="send"),
    path("tasks/<str:run_id>/kill/", endpoint(POST=api.kill_run), name="kill"),
    path("tasks/<str:run_id>/retry/", endpoint(POST=api.retry_run), name="retry"),
    path(
        "stream/<str:model_name>/<str:pk>",
        endpoint(GET=streaming(taskview.show_task)),
        name="task",
    ),
    path(
        "stream/<str:app_label>/<str:model_name>/<str:pk>",
        endpoint(GET=streaming(taskview.show_task)),
        name="task_of_app",
    ),
    path("health", endpoint(GET=health.plain, HEAD=health.plain), name="health"),
    path("health/live", endpoint(GET=health.live, HEAD=health.live), name="live"),
    path("health/ready", endpoint(GET=health.ready, HEAD=health.ready), name="ready"),
    path("metrics", endpoint(GET=metrics.show, HEAD=metrics.show), name="metrics"),
]
