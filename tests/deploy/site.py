"""The whole of it on one machine: nginx, two web processes, two workers, PostgreSQL, Redis."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.units import ListeningSocket, UnitProcess
from tests.services import Nginx
from tests.services.stack import PostgresStack
from tests.stacks import SERVICE

__all__ = ["Site", "site"]


class Site:
    """Every process that is apart from the others in production is so here."""

    def __init__(self, folder: Path, stack: PostgresStack, listening: ListeningSocket) -> None:
        env = {
            **stack.env,
            "SECRET_KEY": "the same in every process",
            "HEADWAY_APPS": SERVICE,
            "HEADWAY_AUTHZ": f"{SERVICE}.authz.everybody",
        }
        self.listening = listening
        self.web = [
            UnitProcess("headway-web@.service", number, folder, env, listening) for number in "12"
        ]
        self.workers = [
            UnitProcess("headway-worker@.service", number, folder, env) for number in "12"
        ]
        self.nginx = Nginx([listening.port] * 2)

    @property
    def processes(self) -> list[UnitProcess]:
        return [*self.web, *self.workers]

    @property
    def url(self) -> str:
        return self.nginx.url

    @property
    def port(self) -> int:
        return self.nginx.port


@contextmanager
def site(folder: Path, servers: Mapping[str, str]) -> Iterator[tuple[Site, PostgresStack]]:
    """A site that is up, and what it stands on."""
    chosen = {"HEADWAY_APPS": SERVICE}
    database, redis = servers["TEST_DATABASE_URL"], servers["TEST_REDIS_URL"]
    with PostgresStack(database, redis, chosen) as stack, ListeningSocket() as listening:
        made = Site(folder, stack, listening)
        try:
            for process in made.processes:
                process.start()
            with made.nginx:
                yield made, stack
        finally:
            for process in made.processes:
                process.close()
            made.nginx.close()
