"""Everybody may everything: most of the tests are not about rights."""

from django.contrib.auth.models import User


def everybody(user: object, run: object, action: object) -> bool:
    return True


def unless_closed(user: object, run: object, action: object) -> bool:
    """A rule that queries, and whose answer changes."""
    return not User.objects.filter(username="closed").exists()
