from django.apps import AppConfig


class ChaosConfig(AppConfig):
    name = "tests.chaos.service"
    label = "headway_chaos"
