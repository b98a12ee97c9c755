"""Both servers, own or given, for as long as a block lasts."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.services.postgres import Postgres
from tests.services.redis import Redis

__all__ = ["VARIABLES", "running"]

#: What names a running server to use instead of an own one.
VARIABLES: dict[str, type[Postgres] | type[Redis]] = {
    "TEST_DATABASE_URL": Postgres,
    "TEST_REDIS_URL": Redis,
}


@contextmanager
def running(*, durable: bool = False) -> Iterator[dict[str, str]]:
    """The variables that name the servers, while these are up."""
    with ExitStack() as stack:
        urls: dict[str, str] = {}
        for name, kind in VARIABLES.items():
            given = os.environ.get(name)
            urls[name] = given or stack.enter_context(kind(durable=durable)).url
        yield urls
