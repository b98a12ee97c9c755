from django.urls import path

from tests.chaos.service import rights, views

urlpatterns = [
    path("suite/enqueue/", views.enqueue),
    path("suite/enqueue-and-die/", views.enqueue_and_die),
    path("suite/page/", views.page),
    path("suite/login/", views.sign_in),
    path("suite/state/", views.state),
    path("suite/grant/<str:run_id>/<str:action>/", rights.grant),
    path("suite/revoke/<str:run_id>/", rights.revoke),
    path("suite/fail/", rights.fail),
    path("suite/logout/", rights.sign_out),
    path("suite/deactivate/", rights.deactivate),
    path("suite/close/", rights.close),
    path("suite/reopen/", rights.reopen),
]
