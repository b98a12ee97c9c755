"""The shop's own ASGI application, HTTP and WebSocket, wrapped by one line at the end."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

from asgi_app.application import Headway

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")
django_application = get_asgi_application()

from shop.chat import Chat  # noqa: E402 - reads models, so Django has to be set up

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AuthMiddlewareStack(URLRouter([path("ws/chat/", Chat.as_asgi())])),
    }
)
application = Headway(application)
