"""`/images` and `/images/{id}`: add, list, describe, delete."""

import hashlib
import json
import re
from collections.abc import Sequence
from uuid import UUID

import falcon
from falcon.asgi import Request, Response

from asgilook import tags
from asgilook.cdn import PurgeState
from asgilook.errors import (
    AsgilookError,
    ClaimMalformed,
    ImageDeleted,
    InvalidPage,
    Overloaded,
    StoreUnavailable,
    UploadRefused,
)
from asgilook.gallery import Gallery
from asgilook.http import answers, problems, uploads, urls
from asgilook.http.access import Access, may_write, shown_key
from asgilook.http.conditions import Validators, Verdict
from asgilook.http.purges import give_state
from asgilook.http.rate_limit import RateLimit
from asgilook.http.uploads import Upload, check_head
from asgilook.http.views import ImageView, image_view
from asgilook.ids import parse_id
from asgilook.image import Original, strong_etag
from asgilook.originals import MAX_PAGE

DEFAULT_PAGE = 100

_Result = Original | AsgilookError
"""What became of a file."""

_IDEMPOTENCY_KEY = re.compile(r'"([!#-~]{1,255})"|([!#-~]{1,255})')


class ImagesResource:
    """The collection."""

    def __init__(
        self, gallery: Gallery, access: Access, rate_limit: RateLimit, limit_bytes: int
    ) -> None:
        self.access = access
        self.limit_bytes = limit_bytes
        self._rate_limit = rate_limit
        self._gallery = gallery

    @falcon.before(may_write)
    @falcon.before(check_head)
    async def on_post(self, req: Request, resp: Response) -> None:
        """Add the picture in the body, or the pictures in a form."""
        await self._rate_limit.check_upload(req)
        key = _idempotency_key(req)
        async with uploads.received(req, self.limit_bytes) as files:
            results = await self._add_all(files, key)
        match results:
            case [Original() as original]:
                resp.location = urls.original_path(original.image)
                _give_new(resp, falcon.HTTP_201, self._view(original))
            case [AsgilookError() as refusal]:
                raise refusal
            case _:
                self._give_results(resp, results)

    async def on_get(self, req: Request, resp: Response) -> None:
        """List a page, newest first."""
        limit, after = _limit(req), _cursor(req)
        page = await self._gallery.page(limit, after)
        views = [image_view(image, self._gallery.rungs(image)) for image in page.images]
        resp.set_header("cache-control", answers.BRIEFLY)
        resp.set_headers(tags.fields(tags.LISTING))
        if page.next_after:
            resp.append_link(urls.page_path(limit, page.next_after), "next")
        _give_json(req, resp, views)

    on_head = on_get

    async def _add_all(self, files: Sequence[Upload], key: str | None) -> Sequence[_Result]:
        results: list[_Result] = []
        for place, file in enumerate(files):
            try:
                results.append(await self._add(file, key, place))
            except (Overloaded, StoreUnavailable) as trouble:
                # To repeat it all would store twice what is stored, but for who has a key.
                if key or not any(isinstance(result, Original) for result in results):
                    raise
                problems.log_problem(trouble)
                return results + [trouble] * (len(files) - place)
        return results

    async def _add(self, file: Upload, key: str | None, place: int) -> _Result:
        if file.refusal:
            return file.refusal
        claim_key = f"{key} {place}" if key else None
        try:
            return await self._gallery.add(file.path, file.sha256, claim_key)
        except (UploadRefused, ImageDeleted) as refusal:
            return refusal

    def _give_results(self, resp: Response, results: Sequence[_Result]) -> None:
        views = [
            {"image": self._view(result)}
            if isinstance(result, Original)
            else {"problem": problems.body(problems.problem_of(result))}
            for result in results
        ]
        is_complete = all(isinstance(result, Original) for result in results)
        _give_new(resp, falcon.HTTP_201 if is_complete else falcon.HTTP_207, views)

    def _view(self, original: Original) -> ImageView:
        return image_view(original.image, self._gallery.rungs(original.image))


class ImageResource:
    """One image, as JSON."""

    def __init__(self, gallery: Gallery, access: Access) -> None:
        self.access = access
        self._gallery = gallery

    async def on_get(self, req: Request, resp: Response, image_id: UUID) -> None:
        """Describe the image."""
        view = await self._view(image_id)
        resp.set_header("cache-control", answers.BRIEFLY)
        resp.set_headers(tags.fields(tags.of_image(image_id)))
        _give_json(req, resp, view)

    on_head = on_get

    async def on_options(self, req: Request, resp: Response, image_id: UUID) -> None:
        """List the methods, of an image that is there."""
        await self._gallery.get(image_id)
        answers.give_methods(resp, "DELETE, GET, HEAD, OPTIONS")

    @falcon.before(may_write)
    async def on_delete(self, req: Request, resp: Response, image_id: UUID) -> None:
        """Delete the image and all that was made of it."""
        asked = answers.conditions(req)
        if asked.are_present:
            current = _validators(_spelled(await self._view(image_id)))
            if asked.judge(current) is not Verdict.PROCEED:
                problems.write(resp, answers.FAILED, {})
                return
        state = await self._gallery.delete(image_id)
        if state is PurgeState.DONE:
            resp.status = falcon.HTTP_204
            return
        resp.status = falcon.HTTP_202
        resp.location = urls.purge_path(image_id)
        give_state(resp, image_id, state)

    async def _view(self, image_id: UUID) -> ImageView:
        image = (await self._gallery.get(image_id)).image
        return image_view(image, self._gallery.rungs(image))


def _give_json(req: Request, resp: Response, view: object) -> None:
    body = _spelled(view)
    resp.content_type = falcon.MEDIA_JSON
    answers.give_bytes(req, resp, body, _validators(body))


def _give_new(resp: Response, status: str, view: object) -> None:
    resp.status = status
    resp.content_type = falcon.MEDIA_JSON
    resp.set_header("cache-control", "no-store")
    resp.data = _spelled(view)


def _spelled(view: object) -> bytes:
    return json.dumps(view, separators=(",", ":")).encode()


def _validators(body: bytes) -> Validators:
    return Validators(strong_etag(hashlib.sha256(body).digest()))


def _idempotency_key(req: Request) -> str | None:
    """Read the key of an upload (draft-ietf-httpapi-idempotency-key-header).

    The quotes of a structured string may be left out. What one client chose means nothing for
    another.
    """
    text = req.get_header("idempotency-key")
    if text is None:
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(text):
        raise ClaimMalformed
    return f"{shown_key(req)} {text.strip(chr(34))}"


def _limit(req: Request) -> int:
    text = req.get_param("limit", default=str(DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_PAGE):
        raise InvalidPage("limit")
    return int(text)


def _cursor(req: Request) -> UUID | None:
    text = req.get_param("cursor")
    if text is None:
        return None
    after = parse_id(text)
    if after is None:
        raise InvalidPage("cursor")
    return after
