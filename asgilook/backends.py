"""Which store, cache, CDN and the like there are, by the settings.

Each is imported only where it is chosen: S3's client and Redis's weigh as much as all the rest.
"""
# ruff: noqa: PLC0415

from typing import TYPE_CHECKING

from asgilook.cache import Cache
from asgilook.cache.memory import MemoryCache
from asgilook.cdn import MemoryPurgeQueue, NoPurger, PurgeQueue, Purger
from asgilook.config import Settings
from asgilook.errors import ConfigError
from asgilook.http.trace_context import Traces
from asgilook.metrics import Meter
from asgilook.quota import Measure
from asgilook.setting_kinds import Cdn
from asgilook.store import Store
from asgilook.store.files import FileStore
from asgilook.store.metered import MeteredStore
from asgilook.usage import Usage

if TYPE_CHECKING:
    from asgilook.breaker import Breaker


def make_breaker(settings: Settings, meter: Meter) -> "Breaker | None":
    """Make the one that all who ask Redis share, if there is a Redis."""
    if settings.redis_url is None:
        return None
    from asgilook.breaker import Breaker

    return Breaker(meter)


def make_traces(settings: Settings) -> Traces | None:
    """Choose whether traces are sent. Raises `ConfigError` where the library is set up wrongly."""
    if not settings.traces:
        return None
    from asgilook.http.spans import Spans

    try:
        return Spans()
    except ValueError as error:
        raise ConfigError(f"OTEL_*: {error}") from error


def make_usage(settings: Settings, breaker: "Breaker | None" = None) -> Usage:
    """Choose what is counted of each client; what has no limit is not."""
    quotas = {
        Measure.UPLOADS: settings.rate_limit_uploads,
        Measure.BYTES: settings.rate_limit_bytes,
        Measure.RENDERING: settings.rate_limit_rendering,
    }
    limited = {each: quota for each, quota in quotas.items() if quota}
    if settings.redis_url is None:
        return Usage(limited)
    from asgilook.fleet_usage import FleetUsage

    return FleetUsage(limited, settings.redis_url, breaker)


def make_store(settings: Settings, meter: Meter | None = None) -> Store:
    """Choose the store: a bucket if one is set, else a folder."""
    if settings.s3_bucket is None:
        return FileStore(settings.storage_path)
    from asgilook.store.s3 import Bucket, S3Store

    bucket = Bucket(settings.s3_bucket, settings.s3_prefix, settings.s3_endpoint_url)
    return MeteredStore(S3Store(bucket, settings.store_timeout), meter or Meter())


def make_cache(settings: Settings, breaker: "Breaker | None" = None) -> Cache:
    """Choose the cache: memory, with Redis behind it if one is set."""
    if settings.redis_url is None:
        return MemoryCache(settings.memory_cache_bytes, settings.cache_ttl)
    from asgilook.cache.redis import RedisCache
    from asgilook.cache.tiers import NEAR_TTL_S, TieredCache

    shared = RedisCache(settings.redis_url, settings.cache_ttl, breaker)
    if not settings.memory_cache_bytes:
        return shared
    near = MemoryCache(settings.memory_cache_bytes, NEAR_TTL_S, renew=False)
    return TieredCache(near, shared)


def make_purge_queue(settings: Settings, breaker: "Breaker | None" = None) -> PurgeQueue:
    """Choose where purges wait that are still to be done."""
    if settings.cdn is Cdn.NONE or settings.redis_url is None:
        return MemoryPurgeQueue()
    from asgilook.cdn.redis import RedisPurgeQueue

    return RedisPurgeQueue(settings.redis_url, breaker)


def make_purger(settings: Settings) -> Purger:
    """Choose who is told of deletions; that each has what it needs, the settings have seen to."""
    identity, token = settings.cdn_id or "", settings.cdn_token or ""
    api_url = next(iter(settings.cdn_url), None)
    match settings.cdn:
        case Cdn.CLOUDFRONT:
            from asgilook.cdn.cloudfront import CloudFrontPurger

            return CloudFrontPurger(identity, api_url)
        case Cdn.FASTLY:
            from asgilook.cdn.fastly import FastlyPurger

            return FastlyPurger(identity, token, api_url)
        case Cdn.CLOUDFLARE:
            from asgilook.cdn.cloudflare import CloudflarePurger

            return CloudflarePurger(identity, token, api_url)
        case Cdn.VARNISH:
            from asgilook.cdn.varnish import VarnishPurger

            return VarnishPurger(settings.cdn_url)
    return NoPurger()
