"""The Django app that holds runs, events and the engine."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.module_loading import autodiscover_modules


class TasksConfig(AppConfig):
    # A project may have a `tasks` app of its own: the label is what must not collide.
    name = "tasks"
    label = "headway_tasks"
    verbose_name = "Headway"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tasks import checks
        from tasks.agents.checks import check_agents
        from tasks.engine import control
        from tasks.engine.metrics import exposition
        from tasks.engine.upkeep.examination import check_tables
        from tasks.surroundings.silence import check_silence

        for check in (checks.check_settings, checks.check_backend, checks.check_database):
            register(check, checks.TAG)
        register(check_agents, checks.TAG)
        register(check_silence, checks.TAG, deploy=True)
        # For deployments alone: `migrate` makes all others first, and would refuse to begin.
        register(check_tables, checks.TAG, Tags.database, deploy=True)
        exposition.register(control.running)
        autodiscover_modules("tasks")
