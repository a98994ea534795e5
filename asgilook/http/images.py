"""`/images` and `/images/{id}`: add, list, describe, delete."""

import hashlib
import json
from typing import Any
from uuid import UUID

import falcon
from falcon.asgi import Request, Response

from asgilook.errors import InvalidPage, UploadEmpty, UploadRefused
from asgilook.gallery import Gallery
from asgilook.http import answers, problems, uploads, urls
from asgilook.http.access import Access, may_write
from asgilook.http.conditions import Validators
from asgilook.http.uploads import check_head
from asgilook.http.views import ImageView, image_view
from asgilook.ids import parse_id
from asgilook.image import Original, strong_etag
from asgilook.originals import MAX_PAGE

DEFAULT_PAGE = 100


class ImagesResource:
    """The collection."""

    def __init__(self, gallery: Gallery, access: Access, limit_bytes: int) -> None:
        self.access = access
        self.limit_bytes = limit_bytes
        self._gallery = gallery

    @falcon.before(may_write)
    @falcon.before(check_head)
    async def on_post(self, req: Request, resp: Response) -> None:
        """Add the picture in the body, or the pictures in a form."""
        if uploads.is_form(req):
            await self._add_form(req, resp)
        else:
            async with uploads.spooled_body(req, self.limit_bytes) as path:
                self._created(resp, await self._gallery.add(path))

    async def on_get(self, req: Request, resp: Response) -> None:
        """List a page, newest first."""
        limit, after = _limit(req), _cursor(req)
        page = await self._gallery.page(limit, after)
        views = [image_view(image, self._gallery.rungs(image)) for image in page.images]
        resp.set_header("cache-control", answers.BRIEFLY)
        if page.next_after:
            resp.append_link(urls.page_path(limit, page.next_after), "next")
        _give_json(req, resp, views)

    on_head = on_get

    async def _add_form(self, req: Request, resp: Response) -> None:
        results: list[dict[str, Any]] = []
        created: list[Original] = []
        refused: list[UploadRefused] = []
        async for file in uploads.spooled_files(req, self.limit_bytes):
            try:
                async with file as path:
                    original = await self._gallery.add(path)
            except UploadRefused as error:
                refused.append(error)
                results.append({"problem": problems.body(problems.problem_of(error))})
            else:
                created.append(original)
                results.append({"image": self._view(original)})
        if not created:
            raise refused[0] if refused else UploadEmpty
        if len(results) == 1:
            self._created(resp, created[0])
        else:
            resp.status = falcon.HTTP_207 if refused else falcon.HTTP_201
            _give_new(resp, results)

    def _created(self, resp: Response, original: Original) -> None:
        resp.status = falcon.HTTP_201
        resp.location = urls.original_path(original.image)
        _give_new(resp, self._view(original))

    def _view(self, original: Original) -> ImageView:
        return image_view(original.image, self._gallery.rungs(original.image))


class ImageResource:
    """One image, as JSON."""

    def __init__(self, gallery: Gallery, access: Access) -> None:
        self.access = access
        self._gallery = gallery

    async def on_get(self, req: Request, resp: Response, image_id: UUID) -> None:
        """Describe the image."""
        image = (await self._gallery.get(image_id)).image
        resp.set_header("cache-control", answers.BRIEFLY)
        _give_json(req, resp, image_view(image, self._gallery.rungs(image)))

    on_head = on_get

    @falcon.before(may_write)
    async def on_delete(self, req: Request, resp: Response, image_id: UUID) -> None:
        """Delete the image and all that was made of it."""
        await self._gallery.delete(image_id)
        resp.status = falcon.HTTP_204


def _give_json(req: Request, resp: Response, view: object) -> None:
    body = json.dumps(view, separators=(",", ":")).encode()
    resp.content_type = falcon.MEDIA_JSON
    etag = strong_etag(hashlib.sha256(body).digest())
    answers.give_bytes(req, resp, body, Validators(etag))


def _give_new(resp: Response, view: object) -> None:
    resp.content_type = falcon.MEDIA_JSON
    resp.set_header("cache-control", "no-store")
    resp.data = json.dumps(view).encode()


def _limit(req: Request) -> int:
    text = req.get_param("limit") or str(DEFAULT_PAGE)
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_PAGE):
        raise InvalidPage(f"limit {text!r}")
    return int(text)


def _cursor(req: Request) -> UUID | None:
    text = req.get_param("cursor")
    if text is None:
        return None
    after = parse_id(text)
    if after is None:
        raise InvalidPage(f"cursor {text!r}")
    return after
