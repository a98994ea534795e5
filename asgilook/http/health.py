"""`/healthz` and `/readyz`: for those who decide whether this process gets requests."""

import json

import falcon
from falcon.asgi import Request, Response

from asgilook.errors import StoreUnavailable
from asgilook.gallery import Gallery


class HealthResource:
    """Alive: the process answers."""

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer."""
        _say(resp, {"status": "ok"})

    on_head = on_get


class ReadyResource:
    """Ready: what it needs to serve is there. Without Redis it serves, only slower."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    async def on_get(self, req: Request, resp: Response) -> None:
        """Ask the store for a page."""
        try:
            await self._gallery.page(1)
        except StoreUnavailable:
            resp.status = falcon.HTTP_503
            _say(resp, {"status": "unwell", "store": "unavailable"})
        else:
            _say(resp, {"status": "ok", "store": "ok"})

    on_head = on_get


def _say(resp: Response, report: dict[str, str]) -> None:
    resp.set_header("cache-control", "no-store")
    resp.content_type = falcon.MEDIA_JSON
    resp.data = json.dumps(report).encode()
