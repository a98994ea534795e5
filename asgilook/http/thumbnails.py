"""`/thumbnails/{id}/{w}x{h}.{format}`: the sizes of an image's ladder."""

from uuid import UUID

from falcon.asgi import Request, Response

from asgilook.gallery import Gallery
from asgilook.http import answers, tags
from asgilook.http.conditions import Validators
from asgilook.image import Format, Size
from asgilook.thumbnails import Thumbnail

# The second spelling is RFC 9211's.
_HIT = {"x-asgilook-cache": "Hit", "cache-status": "asgilook; hit"}
_MISS = {"x-asgilook-cache": "Miss", "cache-status": "asgilook; fwd=uri-miss; stored"}


class ThumbnailResource:
    """A smaller size of an image."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    async def on_get(
        self, req: Request, resp: Response, image_id: UUID, size: Size, kind: Format
    ) -> None:
        """Give the thumbnail, from the cache or made now."""
        give_thumbnail(req, resp, image_id, await self._gallery.thumbnail(image_id, size, kind))

    on_head = on_get


def give_thumbnail(req: Request, resp: Response, image_id: UUID, thumbnail: Thumbnail) -> None:
    """Answer with a thumbnail. Raises `RangeUnsatisfiable`."""
    entry = thumbnail.entry
    resp.content_type = entry.content_type
    resp.set_headers(answers.IMAGE_FIELDS)
    resp.set_headers(_HIT if thumbnail.is_hit else _MISS)
    resp.set_headers(tags.fields(tags.of_image(image_id)))
    answers.give_bytes(req, resp, entry.body, Validators(entry.etag, entry.modified))
