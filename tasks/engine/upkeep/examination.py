"""What a process looks at before it begins: its settings, its tables, who else is there."""

import logging
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.core.checks import ERROR, CheckMessage, Error, run_checks
from django.db import DatabaseError, InterfaceError, connections

from tasks.checks import TAG, check_database, check_settings
from tasks.conf import conf
from tasks.engine import store
from tasks.engine.process.children import CannotStart
from tasks.engine.process.threads import DatabaseThread

__all__ = ["check_tables", "examine"]

logger = logging.getLogger("headway")


async def examine() -> None:
    """Return if this process can do its work; :class:`CannotStart` says what a person must do.

    Says what is not as it should be. A database that is away raises, and is to be waited for.
    """
    thread = DatabaseThread("headway-examination")
    try:
        await thread.call(_examine)
    finally:
        thread.close()


def check_tables(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """The database can be reached, and all migrations of Headway are applied."""
    if check_settings() or conf().database not in (databases or ()):
        return []
    if any(message.level >= ERROR for message in check_database()):
        return []  # nothing in it could be read
    try:
        missing = store.unapplied()
    except (DatabaseError, InterfaceError) as error:
        return [
            Error(
                f"The database of HEADWAY['DATABASE'] cannot be reached: {error}",
                hint="Look at its entry in DATABASES, or at DATABASE_URL, and whether it runs.",
                id="headway.E011",
            )
        ]
    if not missing:
        return []
    return [
        Error(
            f"migrations of headway_tasks are not applied ({', '.join(missing)}).",
            hint="Run manage.py migrate.",
            id="headway.E010",
        )
    ]


def _examine() -> None:
    _heed(run_checks(tags=[TAG]))
    store.answers()
    _heed(check_tables([conf().database]))
    _look_around()


def _heed(messages: list[CheckMessage]) -> None:
    spoken = [message for message in messages if not message.is_silenced()]
    wrong = [_line(message) for message in spoken if message.level >= ERROR]
    if wrong:
        raise CannotStart(" ".join(wrong))
    for message in spoken:
        logger.warning("%s", _line(message))


def _line(message: CheckMessage) -> str:
    return " ".join(filter(None, (f"({message.id})", message.msg, message.hint)))


def _look_around() -> None:
    """Whether others execute, of whom this process will hear late."""
    if connections[conf().database].vendor == "sqlite":
        return  # its file tells
    if not isinstance(get_channel_layer(conf().channel_layer), InMemoryChannelLayer):
        return
    for other in store.live_workers(conf().lease):
        logger.warning(
            "(headway.W010) The Channels layer of this process is in memory, and %s executes"
            " runs too: their events reach watchers here up to HEADWAY['RECONCILE'] seconds"
            " late. Let all processes use one Redis: REDIS_URL, or CHANNEL_LAYERS.",
            other.id,
        )
