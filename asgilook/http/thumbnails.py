"""`/thumbnails/{id}/{w}x{h}.{format}`: the sizes of an image's ladder."""

from datetime import datetime
from functools import partial
from uuid import UUID

import falcon
from falcon.asgi import Request, Response

from asgilook import tags
from asgilook.gallery import Gallery
from asgilook.http import answers, urls
from asgilook.http.conditions import Validators
from asgilook.http.rate_limit import RateLimit
from asgilook.image import Format, Size
from asgilook.thumbnails import StandIn, Thumbnail

# The second spelling is RFC 9211's.
HIT = {"x-asgilook-cache": "Hit", "cache-status": "asgilook; hit"}
_MISS = {"x-asgilook-cache": "Miss", "cache-status": "asgilook; fwd=uri-miss; stored"}

STAND_IN_S = 5
"""How long caches send to a stand-in: about as long as what it stands for takes on a busy day."""


class ThumbnailResource:
    """A smaller size of an image."""

    def __init__(self, gallery: Gallery, rate_limit: RateLimit) -> None:
        self._gallery = gallery
        self._rate_limit = rate_limit

    async def on_get(
        self, req: Request, resp: Response, image_id: UUID, size: Size, kind: Format
    ) -> None:
        """Give the thumbnail, from the cache or made now, or send to one that can be had sooner."""
        cached = partial(self._gallery.cached, image_id, f"{size}.{kind}")
        await self._rate_limit.check_rendering(req, cached)
        found = await self._gallery.thumbnail(image_id, size, kind)
        if isinstance(found, StandIn):
            _send_to(resp, image_id, urls.thumbnail_path(image_id, size, found.kind))
        else:
            give_thumbnail(req, resp, image_id, found)

    on_head = on_get


def give_thumbnail(
    req: Request,
    resp: Response,
    image_id: UUID,
    thumbnail: Thumbnail,
    lifetime: str = answers.FOR_EVER,
) -> None:
    """Answer with a thumbnail. Raises `RangeUnsatisfiable`."""
    entry = thumbnail.entry
    resp.set_headers(thumbnail_fields(image_id, entry.content_type, entry.etag, entry.modified))
    resp.set_header("cache-control", lifetime)
    resp.set_headers(HIT if thumbnail.is_hit else _MISS)
    answers.give_bytes(req, resp, entry.body, Validators(entry.etag, entry.modified))


def _send_to(resp: Response, image_id: UUID, path: str) -> None:
    """Send to another path for a moment (RFC 9110, section 15.4.3).

    302 because every CDN keeps one for as long as it is told to, and not all of them do a 307.
    """
    resp.status = falcon.HTTP_302
    resp.set_header("location", path)
    resp.set_header("cache-control", answers.at_most(STAND_IN_S))
    resp.set_header("timing-allow-origin", "*")
    resp.set_headers(tags.fields(tags.of_image(image_id)))
    resp.content_length = 0


def thumbnail_fields(
    image_id: UUID, content_type: str, etag: str, modified: datetime
) -> dict[str, str]:
    """Give what every answer about a thumbnail carries."""
    return {
        "content-type": content_type,
        **answers.validator_fields(Validators(etag, modified)),
        **answers.IMAGE_FIELDS,
        **tags.fields(tags.of_image(image_id)),
    }
