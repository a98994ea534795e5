"""Where the rooms are put together."""

import logging
from pathlib import Path

from asgilook import config
from asgilook.backends import (
    make_breaker,
    make_cache,
    make_purge_queue,
    make_purger,
    make_store,
    make_traces,
    make_usage,
)
from asgilook.cache import Cache
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
from asgilook.http.traffic import Routes, Traffic
from asgilook.metrics import Meter, open_meter
from asgilook.purges import Purges
from asgilook.signing import Signer
from asgilook.store import Store
from asgilook.workers import Workers

_log = logging.getLogger(__name__)


def create_metered_app(folder: Path | None) -> Service:
    """Make the application by the environment; what it counts can be read in the folder."""
    return create_app(meter=_open_meter(folder) if folder else None)


def _open_meter(folder: Path) -> Meter | None:
    try:
        return open_meter(folder)
    except OSError as error:
        # On a full disk, say: who cannot be counted can be served.
        _log.error("metrics: this process is not counted: %s", error)
        return None


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
