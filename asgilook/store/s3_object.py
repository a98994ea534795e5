"""An object in a bucket, as S3's answers describe and deliver it."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self
from zlib import crc32

import aiohttp

from asgilook.byte_range import ByteRange, Span
from asgilook.errors import RangeUnsatisfiable, StoreBroken
from asgilook.store.base import PIECE_BYTES, ObjectInfo, ObjectStream
from asgilook.store.s3_trouble import as_store_errors

SLOWEST_BYTES_A_SECOND = 256 * 1024
"""What is slower in the long run, in either direction, is taken for a store that hangs."""

# Metadata of our own: which call an object was put by, and a checksum of its bytes.
CALL = "put-call"
CRC32 = "crc32"
_OURS = {CALL, CRC32}
_METADATA = "x-amz-meta-"


@dataclass(frozen=True, slots=True)
class Found:
    """An answer with an object: what its head says, and the body to come."""

    info: ObjectInfo
    span: Span | None
    call: str | None
    crc32: int | None
    """None for a part of an object, and for one that was put without."""
    body: aiohttp.ClientResponse

    @classmethod
    def read(cls, body: aiohttp.ClientResponse, asked: ByteRange | None) -> Self:
        """Read the head of an answer.

        Raises `StoreBroken` where it makes no sense, or is about a part that nobody asked for.
        """
        fields = body.headers
        try:
            span = _span(fields["content-range"]) if "content-range" in fields else None
            length = span.total_bytes if span else int(fields["content-length"])
            told = _metadata(fields)
            crc = int(told[CRC32], 16) if CRC32 in told and span is None else None
            _check_part(span, asked)
        except (KeyError, ValueError, RangeUnsatisfiable) as error:
            body.close()
            raise StoreBroken(f"a head that makes no sense: {error!r}") from error
        metadata = {name: value for name, value in told.items() if name not in _OURS}
        info = ObjectInfo(length, fields.get("content-type", ""), metadata)
        return cls(info, span, told.get(CALL), crc, body)


def own_metadata(call: str, body: bytes) -> dict[str, str]:
    """Describe an object that is put by this call, for whoever finds it."""
    return {CALL: call, CRC32: f"{crc32(body):08x}"}


class S3Stream(ObjectStream):
    """Delivers an object while it comes in.

    The last piece is held back until the checksum is right, so that nobody takes damaged bytes
    for the whole. A pause may last `patience_s`; a body that trickles uses that up by and by. Only
    the store's own time counts, not its reader's.
    """

    def __init__(self, found: Found, patience_s: float, release: Callable[[], None]) -> None:
        self.info = found.info
        self.span = found.span
        self._found = found
        self._release = release
        self._is_open = True
        self._left = self.length_bytes
        self._crc32 = 0
        self._most_patience_s = self._patience_s = patience_s

    async def __anext__(self) -> bytes:
        if not self._left:
            await self.close()
            raise StopAsyncIteration
        try:
            with as_store_errors():
                return await self._read()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        if self._is_open:
            self._is_open = False
            # Read to its end the body is closed already, and its connection kept.
            self._found.body.close()
            self._release()

    async def _read(self) -> bytes:
        start_s = time.monotonic()
        async with asyncio.timeout(self._patience_s):
            piece = await self._found.body.content.read(PIECE_BYTES)
        earned_s = len(piece) / SLOWEST_BYTES_A_SECOND - (time.monotonic() - start_s)
        self._patience_s = min(self._most_patience_s, self._patience_s + earned_s)
        self._left -= len(piece)
        self._check(piece)
        return piece

    def _check(self, piece: bytes) -> None:
        if not piece:
            raise StoreBroken("a body that ended before its time")
        if self._found.crc32 is not None:
            self._crc32 = crc32(piece, self._crc32)
            if self._left == 0 and self._crc32 != self._found.crc32:
                raise StoreBroken("a body that was damaged")


def _check_part(span: Span | None, asked: ByteRange | None) -> None:
    if span and (asked is None or asked.within(span.total_bytes) != span):
        raise ValueError(f"{span} for {asked}")


def _metadata(fields: Mapping[str, str]) -> dict[str, str]:
    lower = ((name.lower(), value) for name, value in fields.items())
    return {
        name.removeprefix(_METADATA): value for name, value in lower if name.startswith(_METADATA)
    }


def _span(content_range: str) -> Span:
    part, total = content_range.removeprefix("bytes ").split("/")
    first, last = part.split("-")
    return Span(int(first), int(last), int(total))
