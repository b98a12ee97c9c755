"""A system check: connections that a network which swallows packets cannot hold for ever."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from tasks.conf import conf, problems

__all__ = ["check_silence"]


def check_silence(**_: Any) -> list[CheckMessage]:
    """PostgreSQL on another machine is given up when it acknowledges nothing for long.

    Runs are ended in time anyway; but the threads that hang come back only then.
    """
    if problems(getattr(settings, "HEADWAY", {})):
        return []  # check_settings says it
    database = settings.DATABASES.get(conf().database, {})
    host = str(database.get("HOST") or "")
    options = database.get("OPTIONS", {})
    remote = host and not host.startswith("/") and host not in ("localhost", "127.0.0.1", "::1")
    if not remote or "postgresql" not in database.get("ENGINE", "") or "service" in options:
        return []
    if "tcp_user_timeout" in options and "connect_timeout" in options:
        return []
    return [
        Warning(
            f"When the network to {host} swallows packets, PostgreSQL's connections hang for as"
            " long as the kernel resends: a quarter of an hour.",
            hint='OPTIONS = {"connect_timeout": 5, "keepalives_idle": 4, "keepalives_interval": 2,'
            ' "keepalives_count": 3, "tcp_user_timeout": 10000}',
            id="headway.W020",
        )
    ]
