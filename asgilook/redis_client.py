"""How Redis is reached: by a URL of its own, or through Sentinel."""

from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ClusterError, RedisError, ResponseError

TROUBLE = (RedisError, OSError, TimeoutError, RuntimeError)
"""What a call may raise for the server's sake. The last is what uvloop raises where a connection
is used that was lost a moment ago."""

SENTINEL = "redis+sentinel"
"""The scheme of `redis+sentinel://[user:password@]host:port[,host:port...]/primary[/database]`."""

CONNECTIONS = 32
SENTINEL_PORT = 26379


def connect(url: str) -> Redis:
    """Make a client; it connects when it is used."""
    if urlsplit(url).scheme == SENTINEL:
        return _through_sentinel(url)
    pool = BlockingConnectionPool.from_url(
        url, max_connections=CONNECTIONS, timeout=None, **_options()
    )
    return Redis.from_pool(pool)


def check(url: str) -> None:
    """Raise `ValueError` where no connection can be made of a URL."""
    try:
        pool = connect(url).connection_pool
        pool.connection_class(**pool.connection_kwargs)
    except (TypeError, ValueError):
        # What it says may hold a password that is not encoded.
        raise ValueError("a URL that can be read, without unknown options") from None


async def disconnect(client: Redis) -> None:
    """Let go of a client's connections, and of those to sentinels."""
    await client.aclose()
    pool = client.connection_pool
    if isinstance(pool, SentinelConnectionPool):
        for sentinel in pool.sentinel_manager.sentinels:
            await sentinel.aclose()


async def renew(client: Redis) -> None:
    """Let go of the connections that are not in use: new ones resolve the server's name again."""
    await client.connection_pool.disconnect(inuse_connections=False)


async def require_all_keys(client: Redis) -> None:
    """Raise `ClusterError` where a server is one of several that have a part of the keys each.

    What is dropped at one of them would go on being served from another.
    """
    try:
        about = await client.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    except ResponseError:
        return  # it belongs to no cluster
    if int(about.get("cluster_size", 1)) > 1:
        raise ClusterError("it is a node of a cluster of several nodes, which is not spoken")


def _through_sentinel(url: str) -> Redis:
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    name, _, database = parts.path.strip("/").partition("/")
    options = _options()
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        [_address(host) for host in hosts.split(",")],
        sentinel_kwargs=dict(options),
        username=unquote(user) or None,
        password=unquote(password) or None,
        db=int(database or 0),
        **options,
    )
    client: Redis = sentinel.master_for(
        name, connection_pool_class=_SentinelPool, max_connections=CONNECTIONS, timeout=None
    )
    return client


class _SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Lets who finds no free connection wait; Sentinel's own raises, and the breaker would open."""


def _address(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    return parts.hostname or "", parts.port or SENTINEL_PORT


def _options() -> dict[str, Any]:
    return {
        # The breaker bounds each call: a timer for each reply besides would double its price.
        "socket_timeout": None,
        "socket_connect_timeout": 0.25,
        # After a restart of the server each pooled connection fails once: one more try.
        "retry": Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.05), 1),
        "health_check_interval": 15,
    }
