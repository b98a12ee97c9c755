from django.conf import settings
from django.db import models


class Product(models.Model):
    sku = models.CharField(max_length=20, unique=True)
    cents = models.PositiveIntegerField()

    def __str__(self):
        return self.sku


class Order(models.Model):
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    paid = models.BooleanField(default=False)

    def __str__(self):
        return f"Order {self.pk}"
