import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.urls import Resolver404, clear_url_caches, resolve


@pytest.fixture
def urls(settings: Any) -> Iterator[ModuleType]:
    """The service's URLs with these apps, each named in one of the two ways."""
    settings.HEADWAY_APPS = ["tests.asgi_app.service", "tests.app.apps.SuiteConfig"]
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "tests.asgi_app.service"]
    settings.ROOT_URLCONF = "asgi_app.urls"
    yield importlib.reload(importlib.import_module("asgi_app.urls"))
    clear_url_caches()


def test_apps_are_found_by_package_and_by_configuration(urls: ModuleType) -> None:
    labels = [config.label for config in urls.loaded_apps()]

    assert labels == ["headway_service", "headway_tests"]


def test_an_apps_urls_are_at_the_root(urls: ModuleType) -> None:
    assert resolve("/endless/").func.__module__ == "tests.asgi_app.service.views"


def test_ours_come_first(urls: ModuleType) -> None:
    assert resolve("/health/live").namespace == "headway"
    assert resolve("/admin/").namespace == "admin"


def test_no_app_no_page(urls: ModuleType) -> None:
    with pytest.raises(Resolver404):
        resolve("/")
