"""`/openapi.json`: what this service promises, for programs."""

import hashlib
from importlib import resources

import falcon
from falcon.asgi import Request, Response

from asgilook.http import answers
from asgilook.http.conditions import Validators
from asgilook.image import strong_etag

LIFETIME_S = 300


class DocumentResource:
    """The OpenAPI document, as it lies beside this file."""

    def __init__(self) -> None:
        self._document = resources.files("asgilook.http").joinpath("openapi.json").read_bytes()
        self._validators = Validators(strong_etag(hashlib.sha256(self._document).digest()))

    async def on_get(self, req: Request, resp: Response) -> None:
        """Give the document."""
        resp.content_type = falcon.MEDIA_JSON
        resp.set_header("cache-control", answers.at_most(LIFETIME_S))
        answers.give_bytes(req, resp, self._document, self._validators)

    on_head = on_get
