from django.urls import path

from tests.streamed import views

urlpatterns = [
    path("suite/make/<str:name>/", views.make),
    path("suite/start/<str:name>/<int:pk>/", views.start),
    path("suite/running/<str:name>/<int:pk>/", views.running),
    path("suite/continue/<int:pk>/", views.go_on),
    path("suite/data.json", views.data),
    path("suite/runs/", views.runs),
]
