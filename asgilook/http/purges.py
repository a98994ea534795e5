"""`/purges/{id}`: whether the CDN has heard that an image was deleted."""

import json
from uuid import UUID

import falcon
from falcon.asgi import Request, Response

from asgilook.cdn import PurgeState
from asgilook.errors import PurgeNotFound
from asgilook.gallery import Gallery


class PurgeResource:
    """The purge of one image."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    async def on_get(self, req: Request, resp: Response, image_id: UUID) -> None:
        """Tell how far it is. Raises `PurgeNotFound` and `QueueUnavailable`."""
        state = await self._gallery.purge_state(image_id)
        if state is None:
            raise PurgeNotFound(str(image_id))
        give_state(resp, image_id, state)

    on_head = on_get


def give_state(resp: Response, image_id: UUID, state: PurgeState) -> None:
    """Answer with how far a purge is; an answer that may be another one in a moment."""
    resp.content_type = falcon.MEDIA_JSON
    resp.set_header("cache-control", "no-store")
    resp.data = json.dumps({"id": str(image_id), "state": state}).encode()
