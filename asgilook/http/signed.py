"""`/signed/{signature}/{options}/{id}/{w}x{h}.{format}`: thumbnails off the ladder."""

import time
from functools import partial
from typing import Any
from uuid import UUID

import falcon
from falcon.asgi import Request, Response

from asgilook.errors import SignatureInvalid, ThumbnailNotFound
from asgilook.gallery import Gallery
from asgilook.http import answers, urls
from asgilook.http.rate_limit import RateLimit
from asgilook.http.thumbnails import give_thumbnail
from asgilook.image import Format, Size
from asgilook.signing import Signer
from asgilook.variant import Options, Variant

_YEAR_S = 31_536_000
"""More is more than every cache can count (RFC 9111, section 1.2.2), and no use."""


async def check_signature(
    req: Request, resp: Response, resource: Any, params: dict[str, Any]
) -> None:
    """Turn away a path that was not signed, or whose time is over, before any work (a hook)."""
    signature = params.pop("signature")
    options: Options = params["options"]
    signer: Signer = resource.signer
    is_right = signer.verify(signature, urls.signed_text(**params))
    is_over = options.expires_s is not None and options.expires_s <= time.time()
    if is_over or not is_right:
        raise SignatureInvalid(f"expired: {is_over}")


class SignedResource:
    """A thumbnail that somebody with a key has asked us to serve."""

    def __init__(self, gallery: Gallery, signer: Signer, rate_limit: RateLimit) -> None:
        self.signer = signer
        self._gallery = gallery
        self._rate_limit = rate_limit

    @falcon.before(check_signature)
    async def on_get(
        self,
        req: Request,
        resp: Response,
        options: Options,
        image_id: UUID,
        size: Size,
        kind: Format,
    ) -> None:
        """Give the thumbnail, from the cache or made now."""
        variant = Variant.of(size, kind, options)
        if variant is None:
            raise ThumbnailNotFound(str(size))
        cached = partial(self._gallery.cached, image_id, variant.name)
        await self._rate_limit.check_rendering(req, cached)
        thumbnail = await self._gallery.variant(image_id, variant)
        give_thumbnail(req, resp, image_id, thumbnail, _lifetime(options))

    on_head = on_get


def _lifetime(options: Options) -> str:
    """Say how long to keep a thumbnail: not for a moment after its path expires."""
    if options.expires_s is None:
        return answers.FOR_EVER
    left_s = int(options.expires_s - time.time())
    return answers.at_most(min(max(left_s, 0), _YEAR_S))
