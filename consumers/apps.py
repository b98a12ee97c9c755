"""The Django app that delivers events."""

from django.apps import AppConfig
from django.core.checks import register


class ConsumersConfig(AppConfig):
    # The label is Headway's own: a project may have an app called `consumers`.
    name = "consumers"
    label = "headway_consumers"
    verbose_name = "Headway: delivery"

    def ready(self) -> None:
        from consumers import checks
        from tasks.checks import TAG

        register(checks.check_layer, TAG)
        register(checks.check_authz, TAG)
