"""`/thumbnails/{id}/{w}x{h}.{format}`: the sizes of an image's ladder."""

from uuid import UUID

from falcon.asgi import Request, Response

from asgilook.gallery import Gallery
from asgilook.http import answers
from asgilook.http.conditions import Validators
from asgilook.image import Format, Size


class ThumbnailResource:
    """A smaller size of an image."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    async def on_get(
        self, req: Request, resp: Response, image_id: UUID, size: Size, kind: Format
    ) -> None:
        """Give the thumbnail, from the cache or made now."""
        thumbnail = await self._gallery.thumbnail(image_id, size, kind)
        entry = thumbnail.entry
        resp.content_type = entry.content_type
        resp.accept_ranges = "bytes"
        resp.set_headers(answers.IMAGE_FIELDS)
        resp.set_header("x-asgilook-cache", "Hit" if thumbnail.is_hit else "Miss")
        answers.give_bytes(req, resp, entry.body, Validators(entry.etag, entry.modified))

    on_head = on_get
