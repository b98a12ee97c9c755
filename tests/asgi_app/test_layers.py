import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.core.exceptions import ImproperlyConfigured

from asgi_app.layers import BACKEND, layer
from tests.services.certificate import make_certificate
from tests.services.proxy import Proxy
from tests.services.redis import Redis
from tests.services.sentinel import Sentinel


def host(url: str) -> dict[str, Any]:
    found = layer(url)
    assert found["BACKEND"] == BACKEND
    (only,) = found["CONFIG"]["hosts"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h", {"address": "redis://h"}),
        ("redis://:p%40ss@h:1/2", {"address": "redis://:p%40ss@h:1", "db": 2}),
        ("valkey://h:1?db=3", {"address": "redis://h:1", "db": 3}),
        ("unix:///run/s?db=1", {"address": "unix:///run/s", "db": 1}),
        ("unix://me:pw@/run/s", {"address": "unix://me:pw@/run/s"}),
        (
            "valkeys://h?ssl_cert_reqs=none",
            {"address": "rediss://h", "ssl_cert_reqs": "none", "ssl_check_hostname": False},
        ),
        (
            "redis+sentinel://me:pw@a:1,b/shop/2?sentinel_password=x&socket_timeout=1.5",
            {
                "sentinels": [("a", 1), ("b", 26379)],
                "master_name": "shop",
                "db": 2,
                "username": "me",
                "password": "pw",
                "socket_timeout": 1.5,
            },
        ),
    ],
)
def test_forms(url: str, expected: dict[str, Any]) -> None:
    found = host(url)

    assert expected.items() <= found.items()


def test_tls_is_for_masters_and_sentinels() -> None:
    found = host("rediss+sentinel://a/shop?ssl_ca_certs=/ca")

    for options in (found, found["sentinel_kwargs"]):
        assert (options["ssl"], options["ssl_ca_certs"]) == (True, "/ca")


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://me:secret@h",
        "redis://",
        "redis://:secret@h:port",
        "redis://:secret@h:99999",
        "redis://:secret@[::1",
        "redis://:secret@h/zero",
        "redis://:secret@h/-1",
        "redis://:secret@h#x",
        "redis://:secret@h?colour=red",
        "redis://:secret@h?db",
        "redis://:secret@h?ssl_ca_certs=/ca",
        "rediss://:secret@h?ssl_cert_reqs=perhaps",
        "unix://",
        "unix://run/socket",
        "redis+sentinel://:secret@a",
        "redis+sentinel://:secret@/shop",
        "redis+sentinel://:secret@a:x/shop",
        "redis+cluster://:secret@a/shop",
        "unix+sentinel://a/shop",
    ],
)
def test_what_is_not_understood_is_refused_by_name(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^REDIS_URL ") as refused:
        layer(url)

    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.fixture(scope="module")
def tls_url(redis: Redis) -> Iterator[str]:
    """The server behind TLS, as the service trusts it: its certificate, and no other."""
    certificate, key = make_certificate(redis.folder)
    with Proxy(redis.url, tls=(certificate, key)) as proxy:
        yield proxy.url.replace("redis:", "rediss:") + f"?ssl_ca_certs={certificate}"


@pytest.fixture(scope="module")
def sentinel(redis: Redis) -> Iterator[Sentinel]:
    with Sentinel(redis.port) as server:
        yield server


async def carry(url: str) -> Any:
    """What a message is after its way through the layer."""
    carrier: Any = RedisPubSubChannelLayer(**layer(url)["CONFIG"])
    try:
        async with asyncio.timeout(10):
            channel = await carrier.new_channel()
            await carrier.group_add("group", channel)
            await carrier.group_send("group", {"type": "news", "body": b"x"})
            return await carrier.receive(channel)
    finally:
        (shard,) = carrier._get_layer()._shards
        manager = getattr(shard._redis.connection_pool, "sentinel_manager", None)
        for asking in manager.sentinels if manager else ():
            await asking.aclose()  # the layer leaves them to the end of the process
        await carrier.flush()


@pytest.mark.parametrize("form", ["url", "unix_url"])
async def test_a_real_server_is_reached(redis: Redis, form: str) -> None:
    assert await carry(getattr(redis, form)) == {"type": "news", "body": b"x"}


async def test_a_real_server_is_reached_by_tls(tls_url: str) -> None:
    assert await carry(tls_url) == {"type": "news", "body": b"x"}


async def test_sentinel_names_the_server(sentinel: Sentinel) -> None:
    assert await carry(sentinel.url) == {"type": "news", "body": b"x"}


async def test_a_certificate_that_nobody_vouches_for_is_refused(tls_url: str) -> None:
    url, _, _ = tls_url.partition("?")

    with pytest.raises(Exception, match=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed"):
        await carry(url)
    assert await carry(f"{url}?ssl_cert_reqs=none")
