"""The demo's URLs beside Headway's, as the service has them."""

from django.urls import include, path

urlpatterns = [path("", include("consumers.urls")), path("", include("asgi_app.demo.urls"))]
