from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("background/", include("consumers.urls")),
    path("", include("shop.urls")),
]
