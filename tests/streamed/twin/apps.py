from django.apps import AppConfig


class TwinConfig(AppConfig):
    name = "tests.streamed.twin"
    label = "streamed_twin"
    default_auto_field = "django.db.models.BigAutoField"
