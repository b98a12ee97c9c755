from django.urls import path, register_converter
from django.urls.converters import StringConverter

from tests.asgi_app.service import views


class Seconds(StringConverter):
    regex = r"[0-9.]+"

    def to_python(self, value: str) -> float:  # type: ignore[override]
        return float(value)


register_converter(Seconds, "seconds")

urlpatterns = [
    path("enqueue/<str:name>/<seconds:seconds>/", views.enqueue),
    path("slow/<seconds:seconds>/", views.slow),
    path("block/<seconds:seconds>/", views.block),
    path("occupy/<seconds:seconds>/", views.occupy),
    path("large/<int:size>/", views.large),
    path("endless/", views.endless),
]
