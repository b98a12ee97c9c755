"""The label is its own: a project may well have an app called ``app``."""

from django.apps import AppConfig


class SuiteConfig(AppConfig):
    name = "tests.app"
    label = "headway_tests"
