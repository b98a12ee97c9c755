"""Middleware of the three kinds that Django knows; each leaves a header."""

import time

from asgiref.sync import iscoroutinefunction
from django.utils.decorators import async_only_middleware, sync_and_async_middleware


@sync_and_async_middleware
def stamp(get_response):
    if iscoroutinefunction(get_response):

        async def middleware(request):
            response = await get_response(request)
            response["X-Shop"] = "open"
            return response

    else:

        def middleware(request):
            response = get_response(request)
            response["X-Shop"] = "open"
            return response

    return middleware


class Customer:
    """Sync only, and it queries."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.user.is_authenticated:
            response["X-Customer"] = request.user.email
        return response


@async_only_middleware
def timing(get_response):
    async def middleware(request):
        began = time.perf_counter()
        response = await get_response(request)
        response["X-Took"] = f"{time.perf_counter() - began:.6f}"
        return response

    return middleware
