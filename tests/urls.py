"""URLs of the suite: Headway's own at the root, as the service has them."""

from django.urls import include, path

urlpatterns = [path("", include("consumers.urls"))]
