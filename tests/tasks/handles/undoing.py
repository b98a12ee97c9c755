"""Blocks that are rolled back."""

from collections.abc import Callable

from django.db import transaction

from tasks.handles.deferred import DeferredHandle


class Undone(Exception):
    """Raised to roll back."""


def undone(enqueue: Callable[[], DeferredHandle], using: str = "default") -> DeferredHandle:
    """What *enqueue* gives in a block that is rolled back."""
    try:
        with transaction.atomic(using=using):
            handle = enqueue()
            raise Undone
    except Undone:
        return handle
