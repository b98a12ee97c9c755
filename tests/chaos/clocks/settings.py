"""The service's settings, and a clock that is wrong."""

from asgi_app.settings import *  # noqa: F403
from asgi_app.settings import INSTALLED_APPS as OTHERS

INSTALLED_APPS = ["tests.chaos.clocks", *OTHERS]
