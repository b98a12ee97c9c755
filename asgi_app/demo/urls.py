"""The demo's page at the root, and what its forms post to."""

from django.urls import path

from asgi_app.demo import views

app_name = "headway_demo"

urlpatterns = [
    path("", views.page, name="page"),
    path("demo/htmx/<uuid:run_id>/", views.page_with_htmx, name="htmx"),
    path("demo/import/", views.start_import, name="import"),
    path("demo/story/", views.start_story, name="story"),
    path("demo/countdown/", views.start_countdown, name="countdown"),
    path("demo/runs/", views.runs, name="runs"),
    path("demo/imports/<int:pk>/", views.rows, name="rows"),
    path("demo/catalog.csv", views.bundled, name="bundled"),
]
