"""The shop's tasks: three with Headway's decorator, one with Django's own."""

import asyncio

import django

from shop.models import Order, Product
from tasks import task

if django.VERSION >= (6, 0):
    from django.tasks import task as django_task
else:
    from django_tasks import task as django_task


@task(takes_context=True)
async def fulfil(context, order_id):
    """Waits until the order is paid, which another request says."""
    await context.emit("packed", {"order": order_id})
    while not await Order.objects.filter(pk=order_id, paid=True).aexists():  # noqa: ASYNC110
        await asyncio.sleep(0.02)  # the payment is another request's, or another process's
    await context.emit("paid", {"order": order_id})
    return order_id


@task(takes_context=True)
async def import_products(context, lines):
    async for line in context.track(lines, message="Importing"):
        sku, cents = line.split(",")
        await Product.objects.aupdate_or_create(sku=sku, defaults={"cents": int(cents)})
    return await Product.objects.acount()


@task(queue_name="prices")
def raise_prices(percent):
    """Sync, so it runs in a thread, with the ORM as anywhere else."""
    for product in Product.objects.all():
        yield {"sku": product.sku, "before": product.cents}
        product.cents += product.cents * percent // 100
        product.save()


@django_task
def count_products():
    return Product.objects.count()
