"""Uploads on their way in: from a request's body to files on disk, never whole in memory."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import falcon
from falcon.asgi import Request
from falcon.media import MultipartFormHandler
from falcon.media.multipart import MultipartParseError

from asgilook.codec.ingest import MEDIA_TYPES
from asgilook.errors import (
    UnsupportedType,
    UploadEmpty,
    UploadIncomplete,
    UploadMalformed,
    UploadTooLarge,
)

MAX_FILES = 32
PIECE_BYTES = 64 * 1024

_UNSPOKEN = "application/octet-stream"
_ACCEPTED = {*MEDIA_TYPES.values(), _UNSPOKEN}


class _Readable(Protocol):
    async def read(self, size: int | None = -1) -> bytes: ...


class Allowance:
    """How many bytes a request may still bring."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._left = limit_bytes

    def spend(self, count: int) -> None:
        """Take off what came. Raises `UploadTooLarge`."""
        self._left -= count
        if self._left < 0:
            raise UploadTooLarge(self._limit_bytes)


async def check_head(req: Request, resp: Any, resource: Any, params: dict[str, Any]) -> None:
    """Refuse an upload for what its head says, before any of the body is read (a hook)."""
    limit_bytes: int = resource.limit_bytes
    if req.content_length is not None and req.content_length > limit_bytes:
        raise UploadTooLarge(limit_bytes)
    if not is_form(req):
        _check_type(req.content_type)


def is_form(req: Request) -> bool:
    """Tell whether the body is a form."""
    return _bare_type(req.content_type) == falcon.MEDIA_MULTIPART


@contextlib.asynccontextmanager
async def spooled_body(req: Request, limit_bytes: int) -> AsyncIterator[Path]:
    """Keep the whole body in a file for the length of a block.

    Raises `UploadEmpty`, `UploadIncomplete` and `UploadTooLarge`.
    """
    async with _spooled(req.stream, Allowance(limit_bytes)) as (path, count):
        if req.content_length is not None and count < req.content_length:
            raise UploadIncomplete(f"{count} of {req.content_length} bytes")
        if not count:
            raise UploadEmpty
        yield path


async def spooled_files(
    req: Request, limit_bytes: int
) -> AsyncIterator[contextlib.AbstractAsyncContextManager[Path]]:
    """Go through the files of a form; each is there for the length of its block.

    Fields that are not files are passed over. Raises `UploadMalformed`; a block may raise
    `UploadEmpty`, `UploadTooLarge` and `UnsupportedType`.
    """
    allowance = Allowance(limit_bytes)
    handler = MultipartFormHandler()
    handler.parse_options.max_body_part_count = MAX_FILES
    try:
        form = await handler.deserialize_async(req.stream, req.content_type, req.content_length)
        async for part in form:
            if part.filename is not None:
                yield _file(part, allowance)
    except (MultipartParseError, falcon.MediaMalformedError) as error:
        raise UploadMalformed(error.description or "") from error


@contextlib.asynccontextmanager
async def _file(part: Any, allowance: Allowance) -> AsyncIterator[Path]:
    _check_type(part.content_type)
    async with _spooled(part.stream, allowance) as (path, count):
        if not count:
            raise UploadEmpty
        yield path


@contextlib.asynccontextmanager
async def _spooled(stream: _Readable, allowance: Allowance) -> AsyncIterator[tuple[Path, int]]:
    count = 0
    with tempfile.NamedTemporaryFile(prefix="asgilook-") as file:
        while piece := await stream.read(PIECE_BYTES):
            count += len(piece)
            allowance.spend(len(piece))
            file.write(piece)
        file.flush()
        yield Path(file.name), count


def _check_type(announced: str | None) -> None:
    if _bare_type(announced) not in _ACCEPTED:
        raise UnsupportedType(f"announced as {announced!r}")


def _bare_type(field: str | None) -> str:
    """Give a media type without its parameters; none at all says nothing (RFC 9110, 8.3)."""
    return (field or _UNSPOKEN).partition(";")[0].strip().lower()
