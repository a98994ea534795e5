"""`/images/{id}.jpeg`: originals, straight from the store to the client."""

from uuid import UUID

import falcon
from falcon.asgi import Request, Response

from asgilook import tags
from asgilook.gallery import Gallery
from asgilook.http import answers, digests
from asgilook.http.conditions import Validators
from asgilook.image import Original


class OriginalResource:
    """The JPEG of an image."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    async def on_get(self, req: Request, resp: Response, image_id: UUID) -> None:
        """Stream the JPEG, or a part of it."""
        asked = answers.conditions(req)
        validators = None
        if asked.are_present:
            validators = _dress(resp, await self._gallery.get(image_id))
            if answers.is_settled(asked, resp, validators):
                return
        opened = await self._gallery.open(image_id, asked.byte_range(validators))
        _dress(resp, opened.original)
        stream = opened.stream
        if stream.span:
            resp.status = falcon.HTTP_206
            resp.set_header("content-range", str(stream.span))
        resp.set_stream(stream, stream.length_bytes)

    async def on_head(self, req: Request, resp: Response, image_id: UUID) -> None:
        """Say what a GET would, without opening the object."""
        original = await self._gallery.get(image_id)
        validators = _dress(resp, original)
        asked = answers.conditions(req)
        if not answers.is_settled(asked, resp, validators):
            resp.content_length = original.image.length_bytes

    async def on_options(self, req: Request, resp: Response, image_id: UUID) -> None:
        """List the methods, of an image that is there."""
        await self._gallery.get(image_id)
        answers.give_methods(resp, "GET, HEAD, OPTIONS")


def _dress(resp: Response, original: Original) -> Validators:
    """Put on what every answer about an original carries."""
    validators = Validators(original.etag, original.image.modified)
    resp.set_headers(answers.validator_fields(validators))
    resp.content_type = "image/jpeg"
    resp.set_headers(answers.IMAGE_FIELDS)
    resp.set_headers(tags.fields(tags.of_image(original.image.id)))
    resp.set_header("repr-digest", digests.spelled(original.sha256))
    resp.set_header("content-disposition", f'inline; filename="{original.image.id}.jpeg"')
    return validators
