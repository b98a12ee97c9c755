from django.urls import path

from tests.bench.app import views

urlpatterns = [
    path("bench/open/", views.open_run),
    path("bench/go/<str:run>/", views.go),
    path("bench/gather/<str:gate>/<int:count>/", views.gather),
    path("bench/idle/", views.idle),
    path("bench/collect/", views.collect),
]
