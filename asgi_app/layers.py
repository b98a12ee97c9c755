"""``REDIS_URL`` as an entry of Channels' ``CHANNEL_LAYERS``.

=========================================== =========================================
``redis://:password@host:6379/0``           one server
``rediss://host:6379/0?ssl_ca_certs=/ca``   with TLS
``unix:///run/redis/socket?db=0``           through its Unix socket
``redis+sentinel://h1:26379,h2/service/0``  whatever master Sentinel names now
``rediss+sentinel://…``                     with TLS to masters and Sentinels
=========================================== =========================================

``valkey`` may stand for ``redis``, ``valkeys`` for ``rediss``. Strict like
:mod:`asgi_app.databases`, and as silent about passwords.
"""

import socket
from typing import Any, NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

from asgi_app.silence import COUNT, GIVEN_UP_AFTER, IDLE, INTERVAL

__all__ = ["layer"]

BACKEND = "channels_redis.pubsub.RedisPubSubChannelLayer"

_SCHEMES = {"redis": False, "rediss": True, "valkey": False, "valkeys": True}  # TLS?
_SENTINEL = "+sentinel"
_SENTINEL_PORT = 26379

_NUMBERS = {"db": int, "socket_timeout": float, "socket_connect_timeout": float}
_TEXTS = frozenset({"client_name"})
_TLS = frozenset(
    {"ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"}
)
_OF_SENTINELS = {"sentinel_username": "username", "sentinel_password": "password"}
_CERT_REQS = ("none", "optional", "required")

# A subscriber sends nothing, so it would not learn of a peer that is gone; asking for a
# sign of life every few seconds, it does.
_COMMON: dict[str, Any] = {"health_check_interval": IDLE}
_TCP: dict[str, Any] = _COMMON | {
    "socket_keepalive": True,
    "socket_keepalive_options": {
        option: value
        for name, value in (
            ("TCP_KEEPIDLE", IDLE),
            ("TCP_KEEPINTVL", INTERVAL),
            ("TCP_KEEPCNT", COUNT),
            ("TCP_USER_TIMEOUT", GIVEN_UP_AFTER * 1000),
        )
        if (option := getattr(socket, name, None)) is not None  # Linux has them all
    },
}


def layer(url: str) -> dict[str, Any]:
    """The layer *url* names; :class:`ImproperlyConfigured` says what is wrong with it."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        _refuse(f"is no URL: {error}")
    if parts.fragment:
        _refuse("has a fragment: write # in a password as %23")
    scheme, sentinel, rest = parts.scheme.partition(_SENTINEL)
    if scheme == "unix" and not sentinel:
        host = _unix(parts)
    elif scheme in _SCHEMES and sentinel and not rest:
        host = _sentinels(parts, tls=_SCHEMES[scheme])
    elif scheme in _SCHEMES and not sentinel:
        host = _server(parts, tls=_SCHEMES[scheme])
    else:
        known = ", ".join([*_SCHEMES, "unix", f"redis{_SENTINEL}", f"rediss{_SENTINEL}"])
        _refuse(f"must begin with one of {known}, and ://")
    return {"BACKEND": BACKEND, "CONFIG": {"hosts": [host]}}


def _server(parts: SplitResult, *, tls: bool) -> dict[str, Any]:
    try:
        parts.port  # noqa: B018 - out of range or no number: raised here or never
    except ValueError:
        _refuse("has a port that is no number from 1 to 65535")
    if not parts.hostname:
        _refuse("names no host")
    options = _options(parts.query, _TLS if tls else frozenset())
    if path := parts.path.strip("/"):
        options["db"] = _number("db", path)
    # The address keeps host, port, user and password; the rest is told beside it.
    address = urlunsplit(("rediss" if tls else "redis", parts.netloc, "", "", ""))
    return _TCP | {"address": address} | options


def _unix(parts: SplitResult) -> dict[str, Any]:
    if not parts.path:
        _refuse("names no socket: write unix:///path with three slashes")
    if parts.hostname:
        _refuse("has a host, which a Unix socket has not: write unix:///path")
    options = _options(parts.query, frozenset())
    address = f"unix://{parts.netloc}{parts.path}"
    return _COMMON | {"address": address} | options


def _sentinels(parts: SplitResult, *, tls: bool) -> dict[str, Any]:
    service, _, db = unquote(parts.path).strip("/").partition("/")
    if not service:
        _refuse("must name the service, like redis+sentinel://host:26379/service")
    options = _options(parts.query, (_TLS if tls else frozenset()) | _OF_SENTINELS.keys())
    if db:
        options["db"] = _number("db", db)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    own = {key: value for key, value in options.items() if key in _TLS}
    if tls:
        own["ssl"] = True
        options["ssl"] = True
    asking = own | {name: options.pop(key) for key, name in _OF_SENTINELS.items() if key in options}
    login = {"username": unquote(user), "password": unquote(password)}
    return (
        _TCP
        | {key: value for key, value in login.items() if value}
        | options
        | {
            "sentinels": [_address(host) for host in hosts.split(",")],
            "master_name": service,
            "sentinel_kwargs": _TCP | asking,
        }
    )


def _address(host: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{host}")
        if parts.hostname:
            return parts.hostname, parts.port or _SENTINEL_PORT
    except ValueError:
        pass
    _refuse("must name its Sentinels as host:port,host:port")


def _options(query: str, more: frozenset[str]) -> dict[str, Any]:
    try:
        given = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        _refuse("has a query that is no name=value&name=value")
    known = _NUMBERS.keys() | _TEXTS | more
    if unknown := given.keys() - known:
        names = ", ".join(sorted(unknown))
        _refuse(f"has the unknown option {names}. Known: {', '.join(sorted(known))}")
    options: dict[str, Any] = {
        name: _number(name, text) if name in _NUMBERS else text for name, text in given.items()
    }
    if (found := options.get("ssl_cert_reqs", "required")) not in _CERT_REQS:
        _refuse(f"has ssl_cert_reqs={found}, which is none of {', '.join(_CERT_REQS)}")
    if (checked := options.get("ssl_check_hostname")) is not None:
        options["ssl_check_hostname"] = checked.lower() in ("1", "true", "yes", "on")
    elif options.get("ssl_cert_reqs") == "none":
        options["ssl_check_hostname"] = False  # without a certificate there is no name
    return options


def _number(name: str, text: str) -> int | float:
    try:
        number: int | float = _NUMBERS[name](text)
        if number >= 0:
            return number
    except ValueError:
        pass
    _refuse(f"has {name}={text}, which is no number")


def _refuse(why: str) -> NoReturn:
    raise ImproperlyConfigured(f"REDIS_URL {why}.") from None
