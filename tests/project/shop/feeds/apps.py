from django.apps import AppConfig


class FeedsConfig(AppConfig):
    name = "shop.feeds"
    label = "consumers"
    default_auto_field = "django.db.models.AutoField"
