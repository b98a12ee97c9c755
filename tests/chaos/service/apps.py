from django.apps import AppConfig


class ChaosConfig(AppConfig):
    name = "tests.chaos.service"
    label = "headway_chaos"

    def ready(self) -> None:
        from tests.chaos.service import faults

        faults.install()
