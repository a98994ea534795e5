"""`/healthz` and `/readyz`: for those who decide whether this process gets requests."""

import json
from collections.abc import Mapping

import falcon
from falcon.asgi import Request, Response

from asgilook.errors import StoreUnavailable
from asgilook.gallery import Gallery
from asgilook.http import problems


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
        """Say how the store and the cache are; both have their own bounds for the time it takes."""
        store, cache = await self._store(), await self._cache()
        match store["state"], cache["state"]:
            case "ok", "ok":
                status = "ok"
            case "ok", _:
                status = "degraded"
            case _:
                status = "unwell"
                resp.status = falcon.HTTP_503
        _say(resp, {"status": status, "store": store, "cache": cache})

    on_head = on_get

    async def _store(self) -> dict[str, str]:
        try:
            await self._gallery.page(1)
        except StoreUnavailable as error:
            problem = problems.log_problem(error)
            return {"state": "unwell", "code": problem.code, "reason": problem.text}
        return {"state": "ok"}

    async def _cache(self) -> dict[str, str]:
        if await self._gallery.is_cache_well():
            return {"state": "ok"}
        return {"state": "unwell", "code": "cache-unavailable", "reason": "Redis does not answer."}


def _say(resp: Response, report: Mapping[str, object]) -> None:
    resp.set_header("cache-control", "no-store")
    resp.content_type = falcon.MEDIA_JSON
    resp.data = json.dumps(report).encode()
