"""Where the rooms are put together."""

from pathlib import Path

from asgilook import config
from asgilook.breaker import Breaker
from asgilook.cache import Cache
from asgilook.cache.memory import MemoryCache
from asgilook.cache.redis import RedisCache
from asgilook.cache.tiers import NEAR_TTL_S, TieredCache
from asgilook.cdn import MemoryPurgeQueue, NoPurger, PurgeQueue, Purger
from asgilook.cdn.cloudflare import CloudflarePurger
from asgilook.cdn.cloudfront import CloudFrontPurger
from asgilook.cdn.fastly import FastlyPurger
from asgilook.cdn.redis import RedisPurgeQueue
from asgilook.cdn.varnish import VarnishPurger
from asgilook.codec import HeaderLimits, IngestOptions
from asgilook.config import Settings
from asgilook.gallery import Gallery
from asgilook.http import problems, urls
from asgilook.http.access import Access
from asgilook.http.books import Books
from asgilook.http.client_address import ClientAddresses
from asgilook.http.express import Express
from asgilook.http.health import HealthResource, ReadyResource
from asgilook.http.images import ImageResource, ImagesResource
from asgilook.http.lifespan import Lifespan
from asgilook.http.openapi import DocumentResource
from asgilook.http.originals import OriginalResource
from asgilook.http.protocol import Limits
from asgilook.http.purges import PurgeResource
from asgilook.http.rate_limit import RateLimit
from asgilook.http.sampler import Sampler
from asgilook.http.service import Service
from asgilook.http.signed import SignedResource
from asgilook.http.thumbnails import ThumbnailResource
from asgilook.http.trace_context import Traces
from asgilook.http.traffic import Routes, Traffic
from asgilook.metrics import Meter, open_meter
from asgilook.purges import Purges
from asgilook.quota import Measure
from asgilook.setting_kinds import Cdn
from asgilook.signing import Signer
from asgilook.store import Store
from asgilook.store.files import FileStore
from asgilook.store.metered import MeteredStore
from asgilook.store.s3 import Bucket, S3Store
from asgilook.usage import Usage
from asgilook.workers import Workers


def create_metered_app(folder: Path | None) -> Service:
    """Make the application by the environment; what it counts can be read in the folder."""
    return create_app(meter=open_meter(folder) if folder else None)


def create_app(
    settings: Settings | None = None,
    store: Store | None = None,
    cache: Cache | None = None,
    meter: Meter | None = None,
) -> Service:
    """Make the ASGI application: by the environment, or with what is given instead.

    Raises `ConfigError` where a setting is wrong.
    """
    settings = settings or config.load()
    meter = meter or Meter()
    breaker = make_breaker(settings, meter)
    workers = Workers(settings.render_slots, settings.decode_memory_bytes, settings.decode_timeout)
    gallery = Gallery(
        store or make_store(settings, meter),
        cache or make_cache(settings, breaker),
        workers,
        IngestOptions(
            limits=HeaderLimits(settings.max_pixels, settings.decode_memory_bytes),
            min_thumb_size=settings.min_thumb_size,
            jpeg_quality=settings.jpeg_quality,
            thumbnail_quality=settings.thumbnail_quality,
            background=settings.background_rgb,
        ),
        deleted_ttl_s=settings.deleted_ttl,
        meter=meter,
        purges=Purges(
            make_purger(settings), make_purge_queue(settings, breaker), settings.cdn, meter
        ),
    )
    limits = Limits(settings.head_timeout, settings.write_timeout)
    access = Access(settings.api_keys)
    addresses = ClientAddresses(settings.trusted_proxies)
    rate_limit = RateLimit(make_usage(settings, breaker), access, addresses)
    traffic = Traffic(meter)
    traces = make_traces(settings)
    books = Books(traffic, traces)
    lifespan = Lifespan(gallery, limits, Express(gallery, books), traces)
    app = Service(middleware=[lifespan, Sampler(meter, traffic, workers), Routes(), rate_limit])
    app.books = books
    app.body_s = settings.upload_timeout
    app.resp_options.default_media_type = None  # type: ignore[assignment] # no content, no type
    problems.install(app)
    for name, converter in urls.CONVERTERS.items():
        app.router_options.converters[name] = converter
    _add_routes(app, gallery, settings, access, rate_limit)
    return app


def _add_routes(
    app: Service, gallery: Gallery, settings: Settings, access: Access, rate_limit: RateLimit
) -> None:
    images = ImagesResource(gallery, access, rate_limit, settings.max_upload_bytes)
    app.add_route(urls.IMAGES, images)
    app.add_route(urls.IMAGE, ImageResource(gallery, access))
    app.add_route(urls.ORIGINAL, OriginalResource(gallery))
    app.add_route(urls.THUMBNAIL, ThumbnailResource(gallery, rate_limit))
    signer = Signer(settings.signing_keys)
    app.add_route(urls.SIGNED, SignedResource(gallery, signer, rate_limit))
    app.add_route(urls.PURGE, PurgeResource(gallery))
    app.add_route("/healthz", HealthResource())
    app.add_route("/readyz", ReadyResource(gallery))
    app.add_route("/openapi.json", DocumentResource())


def make_traces(settings: Settings) -> Traces | None:
    """Choose whether traces are sent."""
    if not settings.traces:
        return None
    # Only here, since it is an extra, and takes its time.
    from asgilook.http.spans import Spans  # noqa: PLC0415

    return Spans()


def make_breaker(settings: Settings, meter: Meter) -> Breaker | None:
    """Make the one that all who ask Redis share, if there is a Redis."""
    return Breaker(meter) if settings.redis_url else None


def make_usage(settings: Settings, breaker: Breaker | None = None) -> Usage:
    """Choose what is counted of each client; what has no limit is not."""
    quotas = {
        Measure.UPLOADS: settings.rate_limit_uploads,
        Measure.BYTES: settings.rate_limit_bytes,
        Measure.RENDERING: settings.rate_limit_rendering,
    }
    return Usage(
        {each: quota for each, quota in quotas.items() if quota}, settings.redis_url, breaker
    )


def make_store(settings: Settings, meter: Meter | None = None) -> Store:
    """Choose the store: a bucket if one is set, else a folder."""
    if settings.s3_bucket is None:
        return FileStore(settings.storage_path)
    bucket = Bucket(settings.s3_bucket, settings.s3_prefix, settings.s3_endpoint_url)
    return MeteredStore(S3Store(bucket, settings.store_timeout), meter or Meter())


def make_cache(settings: Settings, breaker: Breaker | None = None) -> Cache:
    """Choose the cache: memory, with Redis behind it if one is set."""
    if settings.redis_url is None:
        return MemoryCache(settings.memory_cache_bytes, settings.cache_ttl)
    shared = RedisCache(settings.redis_url, settings.cache_ttl, breaker)
    if not settings.memory_cache_bytes:
        return shared
    near = MemoryCache(settings.memory_cache_bytes, NEAR_TTL_S, renew=False)
    return TieredCache(near, shared)


def make_purge_queue(settings: Settings, breaker: Breaker | None = None) -> PurgeQueue:
    """Choose where purges wait that are still to be done."""
    if settings.cdn is Cdn.NONE or settings.redis_url is None:
        return MemoryPurgeQueue()
    return RedisPurgeQueue(settings.redis_url, breaker)


def make_purger(settings: Settings) -> Purger:
    """Choose who is told of deletions; that each has what it needs, the settings have seen to."""
    identity, token = settings.cdn_id or "", settings.cdn_token or ""
    api_url = next(iter(settings.cdn_url), None)
    match settings.cdn:
        case Cdn.CLOUDFRONT:
            return CloudFrontPurger(identity, api_url)
        case Cdn.FASTLY:
            return FastlyPurger(identity, token, api_url)
        case Cdn.CLOUDFLARE:
            return CloudflarePurger(identity, token, api_url)
        case Cdn.VARNISH:
            return VarnishPurger(settings.cdn_url)
    return NoPurger()
