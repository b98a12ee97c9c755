"""URLs of the service: Headway's, the admin's, and those of the apps it loads.

An app of ``HEADWAY_APPS`` with a module ``urls`` has it included at ``/``, in the order
they are named and after ours; an app that wants a prefix writes it into its own paths.
"""

from collections.abc import Iterator
from importlib.util import find_spec

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib import admin
from django.urls import URLResolver, include, path

__all__ = ["urlpatterns"]


def loaded_apps() -> Iterator[AppConfig]:
    """The apps named in ``HEADWAY_APPS``, by package or by AppConfig."""
    for named in settings.HEADWAY_APPS:
        for config in apps.get_app_configs():
            kind = type(config)
            if named in (config.name, f"{kind.__module__}.{kind.__qualname__}"):
                yield config


def app_urls() -> Iterator[URLResolver]:
    for config in loaded_apps():
        # Asked for before it is imported: an ImportError inside it must not pass for "none".
        if find_spec(f"{config.name}.urls") is not None:
            yield path("", include(f"{config.name}.urls"))


urlpatterns = [
    path("", include("consumers.urls")),
    path("admin/", admin.site.urls),
    *app_urls(),
]
