from django.apps import AppConfig


class GuidedConfig(AppConfig):
    name = "tests.chaos.guided"
    label = "headway_guided"
