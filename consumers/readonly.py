"""Those of Headway's URLs that change nothing, for a project that says itself who may look.

``include("consumers.readonly")`` in the place of ``consumers.urls``. Without
``HEADWAY["AUTHZ"]`` it cannot be imported: who shows runs to others has thought of whom.
"""

from django.core.exceptions import ImproperlyConfigured

from consumers.access.rule import rule
from consumers.urls import app_name, reading
from tasks.conf import conf

__all__ = ["app_name", "urlpatterns"]

if conf().authz is None:
    raise ImproperlyConfigured(
        "Including consumers.readonly requires HEADWAY['AUTHZ']: a function"
        " (user, run, action) -> bool, sync or async, or its dotted path."
    )
try:
    found = rule()
except ImportError as error:
    raise ImproperlyConfigured(f"HEADWAY['AUTHZ'] cannot be imported: {error}") from error
if not callable(found):
    raise ImproperlyConfigured("HEADWAY['AUTHZ'] names what is not callable.")

urlpatterns = reading
