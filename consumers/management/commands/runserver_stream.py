"""``manage.py runserver_stream``: daphne on a Unix socket or on TCP."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from daphne.cli import CommandLineInterface
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from consumers.unixsocket import SocketTaken, clear_stale

__all__ = ["Command"]

_HOST = "127.0.0.1"
_PORT = 8000


class Command(BaseCommand):
    help = (
        "Serve settings.ASGI_APPLICATION with daphne, as `daphne -u SOCKET …` or"
        " `daphne -b HOST -p PORT …` would. What a dead server has left at the path of the"
        " socket is removed first; a living server's socket, and what is no socket, never."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--socket", metavar="PATH", help="path of a Unix socket")
        parser.add_argument("--host", help=f"address to listen on (default: {_HOST})")
        parser.add_argument("--port", type=int, help=f"port to listen on (default: {_PORT})")

    def handle(self, *args: Any, **options: Any) -> None:
        application = getattr(settings, "ASGI_APPLICATION", None)
        if not application:
            raise CommandError("settings.ASGI_APPLICATION names no application to serve.")
        module, _, name = application.rpartition(".")
        where = self._where(options["socket"], options["host"], options["port"])
        CommandLineInterface().run([*where, f"{module}:{name}"])

    def _where(self, path: str | None, host: str | None, port: int | None) -> list[str]:
        if path is None:
            return ["-b", host or _HOST, "-p", str(_PORT if port is None else port)]
        if host is not None or port is not None:
            raise CommandError("--socket goes without --host and --port.")
        try:
            if clear_stale(Path(path)):
                self.stdout.write(f"Removed the stale socket {path}.")
        except SocketTaken as error:
            raise CommandError(str(error)) from error
        return ["-u", path]
