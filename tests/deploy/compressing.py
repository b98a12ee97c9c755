"""The service's settings with a middleware that compresses all it can."""

from asgi_app.settings import *  # noqa: F403
from asgi_app.settings import MIDDLEWARE

MIDDLEWARE.insert(0, "django.middleware.gzip.GZipMiddleware")
