"""The Django app that holds runs, events and the engine."""

from django.apps import AppConfig
from django.core.checks import register
from django.utils.module_loading import autodiscover_modules


class TasksConfig(AppConfig):
    # A project may have a `tasks` app of its own: the label is what must not collide.
    name = "tasks"
    label = "headway_tasks"
    verbose_name = "Headway"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tasks import checks
        from tasks.engine import metrics

        register(checks.check_settings)
        register(checks.check_backend)
        register(checks.check_database)
        metrics.register()
        autodiscover_modules("tasks")
