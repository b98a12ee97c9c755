from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "shop.jobs"
    label = "tasks"
    default_auto_field = "django.db.models.AutoField"
