"""The service: ``daphne asgi_app.asgi:application``."""

import os

from django.core.asgi import get_asgi_application

from asgi_app.application import Headway
from asgi_app.static import StaticFiles

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "asgi_app.settings")

application = Headway(StaticFiles(get_asgi_application()))
