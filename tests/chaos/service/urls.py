from django.urls import path

from tests.chaos.service import views

urlpatterns = [
    path("suite/enqueue/", views.enqueue),
    path("suite/enqueue-and-die/", views.enqueue_and_die),
    path("suite/login/", views.sign_in),
    path("suite/state/", views.state),
]
