"""``DATABASE_URL`` as an entry of Django's ``DATABASES``.

Strict on purpose: whatever is not understood is refused by name instead of being passed
on. A message never holds the URL itself, since that may hold a password.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from asgi_app.silence import COUNT, GIVEN_UP_AFTER, IDLE, INTERVAL

__all__ = ["database", "sqlite"]

BUSY_TIMEOUT = 20  # seconds a writer waits for another one's transaction
CONNECT_TIMEOUT = 5  # seconds: an address that swallows packets must not hold a process

#: A connection's libpq parameters, unless the URL says otherwise. They are for any project's
#: ``OPTIONS``: without them a thread hangs for minutes in a network that swallows packets.
PATIENCE = {
    "connect_timeout": CONNECT_TIMEOUT,
    "keepalives_idle": IDLE,
    "keepalives_interval": INTERVAL,
    "keepalives_count": COUNT,
    "tcp_user_timeout": GIVEN_UP_AFTER * 1000,  # milliseconds
}

#: Of psycopg's pool, for requests and runs; the engine's threads have connections of their own.
#: A stream holds none, and a request gives its own back: of many at once, most wait a moment.
#: A run that queries holds one until it ends. PostgreSQL itself takes 100 from all processes
#: together, so two of these fit and leave room for the engines. An outage is asked about anew
#: every few seconds: the pool's own pauses double, and it would come back long after the
#: database.
POOL: dict[str, Any] = {
    "min_size": 0,
    "max_size": 40,
    "max_idle": 20,  # seconds
    "timeout": 2 * CONNECT_TIMEOUT,
    "reconnect_timeout": CONNECT_TIMEOUT,
}

# Of libpq's parameters those that belong into a URL; the rest of a connection is in it already.
LIBPQ_OPTIONS = frozenset(
    {
        "application_name",
        "channel_binding",
        "connect_timeout",
        "gssencmode",
        "host",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "options",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslrootcert",
        "target_session_attrs",
        "tcp_user_timeout",
    }
)


def database(url: str) -> dict[str, Any]:
    """The database *url* names; :class:`ImproperlyConfigured` says what is wrong with it.

    ``sqlite:///relative/path``, ``sqlite:////absolute/path``, or
    ``postgres://user:password@host:port/name?sslmode=require`` (``postgresql://`` too).
    Reserved characters in a part are percent-encoded. ``pool_max_size`` bounds the
    connections for requests and runs in a process; 0 is for no pool.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - out of range or no number: raised here or never
    except ValueError as error:
        _refuse(f"is no URL: {error}")
    match parts.scheme:
        case "sqlite":
            return _sqlite(parts)
        case "postgres" | "postgresql":
            return _postgres(parts)
        case _:
            _refuse("must begin with sqlite:///, postgres:// or postgresql://")


def sqlite(path: Path) -> dict[str, Any]:
    """A SQLite file as the engine wants it: write-ahead log, writers that queue up."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            # A transaction that begins as a reader and then writes cannot wait for the lock:
            # it fails at once, whatever the timeout. Taking the lock first, it waits.
            "transaction_mode": "IMMEDIATE",
            "timeout": BUSY_TIMEOUT,
            "init_command": (
                "PRAGMA journal_mode=WAL;"
                "PRAGMA synchronous=NORMAL;"
                "PRAGMA temp_store=MEMORY;"
                "PRAGMA mmap_size=134217728;"
            ),
        },
    }


def _sqlite(parts: SplitResult) -> dict[str, Any]:
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc:
        _refuse("has a host, which SQLite has not: write sqlite:/// with three slashes")
    if parts.query or parts.fragment:
        _refuse("has a query or fragment, which a SQLite URL cannot have here")
    if path in {"", ":memory:"}:
        _refuse("must name a file: threads and processes cannot share SQLite in memory")
    return sqlite(Path(path).absolute())


def _postgres(parts: SplitResult) -> dict[str, Any]:
    name = unquote(parts.path).removeprefix("/")
    if not name or "/" in name:
        _refuse("must end with the name of one database, like postgres://host/name")
    if parts.fragment:
        _refuse("has a fragment: write # in a password as %23")
    options = _options(parts.query)
    most = _pool_size(options.pop("pool_max_size", str(POOL["max_size"])))
    if find_spec("psycopg") is None:
        _refuse("names PostgreSQL, which needs psycopg: pip install 'django-headway[postgres]'")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        # Under ASGI each request has a thread of its own, which takes a connection that is
        # kept with it to its grave: nobody could use it again. The pool gets it back.
        "CONN_MAX_AGE": 0,
        # A connection of the pool that has died is seen when it is taken, not by a request.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": PATIENCE | options | ({"pool": POOL | {"max_size": most}} if most else {}),
    }


def _pool_size(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        _refuse("has a pool_max_size that is no whole number; 0 is for no pool")
    return int(text)


def _options(query: str) -> dict[str, str]:
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        _refuse("has a query that is no name=value&name=value")
    if unknown := options.keys() - LIBPQ_OPTIONS - {"pool_max_size"}:
        known = ", ".join(["pool_max_size", *sorted(LIBPQ_OPTIONS)])
        _refuse(f"has the unknown option {', '.join(sorted(unknown))}. Known: {known}")
    return options


def _refuse(why: str) -> NoReturn:
    raise ImproperlyConfigured(f"DATABASE_URL {why}.") from None
