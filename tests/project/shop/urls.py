"""Headway's service includes these at the root, so the prefix is the shop's own."""

from django.contrib.auth.views import LoginView
from django.urls import path

from shop import views

app_name = "shop"
urlpatterns = [
    path("shop/", views.board, name="board"),
    path("shop/login/", LoginView.as_view(template_name="shop/login.html"), name="login"),
    path("shop/orders/", views.order, name="order"),
    path("shop/orders/<int:order_id>/pay/", views.pay, name="pay"),
    path("shop/import/", views.import_lines, name="import"),
    path("shop/prices/", views.prices, name="prices"),
    path("shop/count/", views.count, name="count"),
]
