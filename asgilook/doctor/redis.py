"""What the service needs of Redis, read from what it says of itself."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ClusterError, RedisError

from asgilook.doctor.findings import Finding, fail, ok, warn
from asgilook.redis_client import connect, disconnect, require_all_keys

PATIENCE_S = 3
OLDEST = (6, 0)
"""The first that speaks RESP3, as our client does."""
SLOW_S = 0.01
"""A lookup is worth it while it takes less than what it saves."""
PINGS = 10

POLICY = "volatile-lru"


async def examine_redis(url: str) -> list[Finding]:
    """Ask it what it is and how it is set, and how long an answer takes."""
    redis = connect(url)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await require_all_keys(redis)
            about = await redis.info()
            latency_s = min([await _ping_s(redis) for _ in range(PINGS)])
    except ClusterError as error:
        mend = "give it a Redis of its own, or a cluster of one node; Sentinel is spoken"
        return [fail("redis keys", str(error), mend)]
    except (RedisError, OSError, TimeoutError) as error:
        seen = f"{type(error).__name__}: {error}"
        return [fail("redis reachable", seen, "look at ASGI_LOOK_REDIS_URL")]
    finally:
        await disconnect(redis)
    return [judge_version(about), judge_eviction(about), judge_latency(latency_s)]


def judge_version(about: Mapping[str, Any]) -> Finding:
    """Look at what INFO says of the version; Valkey tells the one that it is compatible with."""
    what, version = "redis version", str(about["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return fail(what, version, f"it is too old; {wanted} is the least, or any Valkey")
    return ok(what, version)


def judge_eviction(about: Mapping[str, Any]) -> Finding:
    """Look at what happens when its memory is full (Redis documentation, Key eviction)."""
    what, policy = "redis eviction", str(about["maxmemory_policy"])
    seen = f"maxmemory {int(about['maxmemory'])}, {policy}"
    mend = f"set a maxmemory, and maxmemory-policy {POLICY}"
    if not int(about["maxmemory"]):
        return warn(what, seen, f"it may take all of its machine's memory; {mend}")
    if policy == "noeviction":
        return warn(what, seen, f"once it is full it takes nothing new; {mend}")
    if policy.startswith("allkeys-"):
        return warn(what, seen, f"it may evict what has no lifetime because it must stay; {mend}")
    return ok(what, seen)


def judge_latency(latency_s: float) -> Finding:
    """Look at the best of some answers: the others tell of a machine that is busy."""
    what, seen = "redis latency", f"{latency_s * 1000:.1f} ms"
    if latency_s > SLOW_S:
        return warn(what, seen, "keep it in the same zone as the service")
    return ok(what, seen)


async def _ping_s(redis: Redis) -> float:
    start_s = time.perf_counter()
    await redis.ping()
    return time.perf_counter() - start_s
