"""Uploads on their way in: from a request's body to files on disk, never whole in memory.

A body is read to its end before anything is made of it, so that one that is cut, too long or not
what its digest says leaves nothing behind.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import falcon
from falcon.asgi import Request
from falcon.media import MultipartFormHandler
from falcon.media.multipart import MultipartParseError

from asgilook.codec import UPLOAD_TYPES
from asgilook.errors import (
    StoreUnavailable,
    UnsupportedType,
    UploadEmpty,
    UploadIncomplete,
    UploadMalformed,
    UploadRefused,
    UploadTooLarge,
)
from asgilook.http.digests import Digests
from asgilook.http.temporary import upload_file

MAX_FILES = 32
MAX_PARTS = 256
"""Of a form, with the fields that are no files."""
PIECE_BYTES = 64 * 1024
BATCH_BYTES = 512 * 1024
"""How much of a body waits in memory to be written to disk at once."""

_UNSPOKEN = "application/octet-stream"
_ACCEPTED = {*UPLOAD_TYPES, _UNSPOKEN}
_UNSPOKEN_IN_A_FORM = "text/plain"
"""What Falcon gives for a part that says nothing (RFC 7578, section 4.4)."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in, and stays for the length of its request."""

    path: Path
    sha256: bytes
    refusal: UploadRefused | None = None
    """What is wrong with it already."""


async def check_head(req: Request, resp: Any, resource: Any, params: dict[str, Any]) -> None:
    """Refuse an upload for what its head says, before any of its body is asked for (a hook)."""
    limit_bytes: int = resource.limit_bytes
    if req.content_length is not None and req.content_length > limit_bytes:
        raise UploadTooLarge(limit_bytes)
    if not is_form(req):
        _check_type(req.content_type)


def is_form(req: Request) -> bool:
    """Tell whether the body is a form."""
    return _bare_type(req.content_type) == falcon.MEDIA_MULTIPART


@contextlib.asynccontextmanager
async def received(req: Request, limit_bytes: int) -> AsyncIterator[list[Upload]]:
    """Receive the whole body; its file or files are there for the length of the block.

    Of a form, fields that are no files are passed over. Raises the kinds of `UploadRefused` that
    concern the body as a whole.
    """
    body = _Body(req, limit_bytes)
    with contextlib.ExitStack() as files:
        if is_form(req):
            uploads = await _read_form(req, body, files)
        else:
            uploads = [await _spool(body, files)]
        await body.finish()
        req.context.files = len(uploads)
        yield uploads


class _Body:
    """A request's bytes as they come: counted, and hashed as its digest fields ask."""

    def __init__(self, req: Request, limit_bytes: int) -> None:
        self._pieces = aiter(req.stream)
        self._context = req.context
        self._announced = req.content_length
        self._limit_bytes = limit_bytes
        self._count = 0
        self._digests = Digests.announced(req.get_header)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self._pieces)
        self._count += len(piece)
        self._context.body_bytes = self._count
        if self._count > self._limit_bytes:
            raise UploadTooLarge(self._limit_bytes)
        self._digests.update(piece)
        return piece

    async def finish(self) -> None:
        """Read what is left, and hold the whole against what was announced."""
        async for _ in self:
            pass
        if self._announced is not None and self._count < self._announced:
            raise UploadIncomplete(f"{self._count} of {self._announced} bytes")
        if not self._count:
            raise UploadEmpty
        self._digests.verify()


async def _read_form(req: Request, body: _Body, files: contextlib.ExitStack) -> list[Upload]:
    handler = MultipartFormHandler()
    handler.parse_options.max_body_part_count = MAX_PARTS
    try:
        form = await handler.deserialize_async(
            cast(Any, body), req.content_type, req.content_length
        )
        uploads = await _read_files(form, files)
    except (MultipartParseError, falcon.MediaMalformedError, falcon.HTTPInvalidHeader) as error:
        raise UploadMalformed(error.description or "") from error
    except UnicodeDecodeError as error:
        raise UploadMalformed(f"the head of a part: {error}") from error
    if not uploads:
        raise UploadEmpty
    return uploads


async def _read_files(form: Any, files: contextlib.ExitStack) -> list[Upload]:
    uploads: list[Upload] = []
    async for part in form:
        if part.filename:
            if len(uploads) == MAX_FILES:
                raise UploadMalformed(f"more than {MAX_FILES} files")
            uploads.append(await _read_part(part, files))
    return uploads


async def _read_part(part: Any, files: contextlib.ExitStack) -> Upload:
    upload = await _spool(_pieces(part.stream), files)
    try:
        if part.content_type != _UNSPOKEN_IN_A_FORM:
            _check_type(part.content_type)
        if not upload.path.stat().st_size:
            raise UploadEmpty
    except UploadRefused as refusal:
        return Upload(upload.path, upload.sha256, refusal)
    return upload


async def _pieces(stream: Any) -> AsyncIterator[bytes]:
    while piece := await stream.read(PIECE_BYTES):
        yield piece


async def _spool(pieces: AsyncIterator[bytes], files: contextlib.ExitStack) -> Upload:
    digest = hashlib.sha256()
    with _room():
        file, path = files.enter_context(upload_file())

    @_room()
    def take(batch: bytes) -> None:
        digest.update(batch)
        file.write(batch)
        file.flush()

    # A disk that is behind makes a write wait, and nobody else must wait with it.
    batch = bytearray()
    async for piece in pieces:
        batch += piece
        if len(batch) >= BATCH_BYTES:
            await asyncio.to_thread(take, bytes(batch))
            batch.clear()
    take(bytes(batch))
    return Upload(path, digest.digest())


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Tell in our words that there is no room for an upload to wait in."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"no room for uploads: {error}") from error


def _check_type(announced: str | None) -> None:
    if _bare_type(announced) not in _ACCEPTED:
        raise UnsupportedType(f"announced as {announced!r}")


def _bare_type(field: str | None) -> str:
    """Give a media type without its parameters; none at all says nothing (RFC 9110, 8.3)."""
    return (field or _UNSPOKEN).partition(";")[0].strip().lower()
