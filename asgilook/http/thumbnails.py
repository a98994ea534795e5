"""`/thumbnails/{id}/{w}x{h}.{format}`: the sizes of an image's ladder."""

from datetime import datetime
from functools import partial
from uuid import UUID

from falcon.asgi import Request, Response

from asgilook.gallery import Gallery
from asgilook.http import answers, tags
from asgilook.http.conditions import Validators
from asgilook.http.rate_limit import RateLimit
from asgilook.image import Format, Size
from asgilook.thumbnails import Thumbnail

# The second spelling is RFC 9211's.
HIT = {"x-asgilook-cache": "Hit", "cache-status": "asgilook; hit"}
_MISS = {"x-asgilook-cache": "Miss", "cache-status": "asgilook; fwd=uri-miss; stored"}


class ThumbnailResource:
    """A smaller size of an image."""

    def __init__(self, gallery: Gallery, rate_limit: RateLimit) -> None:
        self._gallery = gallery
        self._rate_limit = rate_limit

    async def on_get(
        self, req: Request, resp: Response, image_id: UUID, size: Size, kind: Format
    ) -> None:
        """Give the thumbnail, from the cache or made now."""
        cached = partial(self._gallery.cached, image_id, f"{size}.{kind}")
        await self._rate_limit.check_rendering(req, cached)
        give_thumbnail(req, resp, image_id, await self._gallery.thumbnail(image_id, size, kind))

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
