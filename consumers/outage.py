"""What clients are told while the database is away."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

from consumers.refusal import Refusal

__all__ = ["outages_refused"]

logger = logging.getLogger("headway.database")


@contextmanager
def outages_refused() -> Iterator[None]:
    """Turn a database that cannot be reached into a refusal: come again in a moment."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        # Its text may name the host and the user; the type is enough to go on.
        logger.warning("A request cannot reach the database: %s.", type(error).__name__)
        message = "The database cannot be reached at the moment."
        raise Refusal(503, "database_unavailable", message, {"Retry-After": "1"}) from error
