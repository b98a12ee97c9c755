"""Which of the backends in ``settings.TASKS`` is Headway's."""

from django.conf import settings

__all__ = ["PATH", "default_alias"]

PATH = "tasks.backend.HeadwayBackend"


def default_alias() -> str:
    """The alias of the first that is Headway's, else ``default``."""
    configured = getattr(settings, "TASKS", {})
    return next((a for a, given in configured.items() if given.get("BACKEND") == PATH), "default")
