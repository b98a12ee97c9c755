"""The Django app that delivers events."""

from django.apps import AppConfig, apps
from django.core.checks import register


class ConsumersConfig(AppConfig):
    # The label is Headway's own: a project may have an app called `consumers`.
    name = "consumers"
    label = "headway_consumers"
    verbose_name = "Headway: delivery"

    def ready(self) -> None:
        from consumers import checks
        from consumers.feeds import buffers
        from tasks.checks import TAG

        register(checks.check_layer, TAG)
        register(checks.check_authz, TAG)
        buffers.register()
        # By now the admin has the projects' own, if it stands before this app; if not, it
        # would find these in their place.
        if "admin" in _before(self.label):
            from consumers.admin import register_stream_tasks

            register_stream_tasks()


def _before(label: str) -> list[str]:
    """Labels of the apps that are ready by the time that this one is."""
    labels = [config.label for config in apps.get_app_configs()]
    return labels[: labels.index(label)]
