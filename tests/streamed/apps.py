from django.apps import AppConfig


class StreamedConfig(AppConfig):
    name = "tests.streamed"
    label = "streamed"
    default_auto_field = "django.db.models.BigAutoField"
