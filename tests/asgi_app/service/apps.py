from django.apps import AppConfig


class ServiceConfig(AppConfig):
    name = "tests.asgi_app.service"
    label = "headway_service"
