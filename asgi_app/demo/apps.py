"""The Django app of the demo."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "asgi_app.demo"
    label = "headway_demo"
    verbose_name = "Headway demo"
    default_auto_field = "django.db.models.BigAutoField"
