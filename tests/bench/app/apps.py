from django.apps import AppConfig


class BenchConfig(AppConfig):
    name = "tests.bench.app"
    label = "headway_bench"
