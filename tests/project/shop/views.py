"""Views that enqueue: sync and async, for a user by name and for whoever asks."""

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from shop import tasks
from shop.models import Order


@login_required
def board(request):
    return render(request, "shop/board.html")


@login_required
@require_POST
def order(request):
    """In a transaction where the project has ATOMIC_REQUESTS: the run waits for the commit."""
    placed = Order.objects.create(customer=request.user)
    run = tasks.fulfil.using(user=request.user, metadata={"order": placed.pk}).enqueue(placed.pk)
    return JsonResponse({"order": placed.pk, "run": run.id})


@login_required
@require_POST
def pay(request, order_id):
    placed = get_object_or_404(Order, pk=order_id, customer=request.user)
    placed.paid = True
    placed.save()
    return JsonResponse({"order": placed.pk})


@transaction.non_atomic_requests
@login_required
@require_POST
async def import_lines(request):
    lines = request.body.decode().splitlines()
    run = await tasks.import_products.using(user=await request.auser()).aenqueue(lines)
    return JsonResponse({"run": run.id})


@login_required
@require_POST
def prices(request):
    return JsonResponse({"run": tasks.raise_prices.enqueue(10).id})


@login_required
@require_POST
def count(request):
    return JsonResponse({"run": tasks.count_products.enqueue().id})
