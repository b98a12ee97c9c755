from django.apps import AppConfig


class DescribedConfig(AppConfig):
    name = "tests.e2e.described"
    label = "headway_described"
