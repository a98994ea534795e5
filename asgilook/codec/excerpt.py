"""A file without the parts that its pixels do not hang on: what is not read can do no harm.

Comments, thumbnails, makers' notes and animations are where readers stumble over sound pictures,
and where bombs hide. Of all that only the orientation and the profile say how a picture looks.
"""

import contextlib
import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import Any, BinaryIO
from zlib import crc32, decompressobj, error

from PIL import PngImagePlugin

from asgilook.errors import BrokenPicture

MAX_PARTS = 20_000
"""Each chunk or segment costs the same, however short; a PNG encoder's have some 8 KB."""

MAX_LOOK_BYTES = 8 * 1024 * 1024
"""The longest profile that is read; some printers' have more than a megabyte."""

# Pillow holds them to its own limit for text, of which none is read here.
PngImagePlugin.MAX_TEXT_CHUNK = MAX_LOOK_BYTES

_PNG_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_PNG_LOOKS = {b"tRNS", b"iCCP", b"eXIf"}
"""Left out where they are damaged, as browsers do."""

_JPEG_LOOKS = {
    0xE0: (b"JFIF\0",),
    0xE1: (b"Exif\0",),
    0xE2: (b"ICC_PROFILE\0",),
    0xEE: (b"Adobe",),
}
_COMMENT = 0xFE


class Excerpt(io.RawIOBase):
    """Parts of a file, read as if they were a file of their own."""

    def __init__(self, file: BinaryIO, parts: Sequence[range]) -> None:
        self._file = file
        self._parts = parts
        self._starts = [0, *accumulate(len(part) for part in parts)]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}
        self._position = max(0, base[whence] + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position >= self._starts[-1]:
            return 0
        number = bisect_right(self._starts, self._position) - 1
        rest = self._parts[number][self._position - self._starts[number] :]
        self._file.seek(rest.start)
        piece = self._file.read(min(len(buffer), len(rest)))
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


def excerpt(file: BinaryIO, kind: str) -> BinaryIO:
    """Give a file of this format to read, without what its pixels do not hang on.

    Raises `BrokenPicture` where it lies in more parts than any encoder makes.
    """
    if kind not in _PARTS:
        return file
    parts = list(islice(_PARTS[kind](file), MAX_PARTS + 1))
    if len(parts) > MAX_PARTS:
        raise BrokenPicture(f"{kind} made to be slow")
    return io.BufferedReader(Excerpt(file, [part for part in parts if part]))


def _png_parts(file: BinaryIO) -> Iterator[range]:
    """Go through the chunks of a PNG (PNG 3, section 5.3); what is left out is an empty part."""
    yield range(8)
    start = 8
    while len(head := _read_at(file, start, 8)) == 8:
        kind, length = head[4:], int.from_bytes(head[:4])
        end = start + 12 + length
        is_wanted = kind in _PNG_PIXELS or (kind in _PNG_LOOKS and _is_sound(file, start, end))
        yield range(start, end if is_wanted else start)
        if kind == b"IEND":
            return
        start = end


def _is_sound(file: BinaryIO, start: int, end: int) -> bool:
    """Tell whether a chunk has the sum that it says, and a profile unpacks to a sensible length."""
    chunk = _read_at(file, start + 4, min(end - start - 4, MAX_LOOK_BYTES))
    data, crc = chunk[:-4], chunk[-4:]
    if crc32(data).to_bytes(4) != crc:
        return False
    if not data.startswith(b"iCCP"):
        return True
    unpacking = decompressobj()
    with contextlib.suppress(error):
        _, _, packed = data.partition(b"\0")
        unpacking.decompress(packed[1:], MAX_LOOK_BYTES)
    return unpacking.eof


def _jpeg_parts(file: BinaryIO) -> Iterator[range]:
    """Go through the segments of a JPEG (ITU-T T.81, annex B), up to its first scan."""
    yield range(2)
    start = 2
    while (marker := _segment(head := _read_at(file, start, 16))) is not None:
        end = start + 2 + int.from_bytes(head[2:4])
        looks = _JPEG_LOOKS.get(marker, () if 0xE0 <= marker <= 0xEF else (b"",))
        is_wanted = marker != _COMMENT and head[4:].startswith(looks)
        yield range(start, end if is_wanted else start)
        start = end
    yield range(start, file.seek(0, io.SEEK_END))


def _segment(head: bytes) -> int | None:
    """Name the marker that a segment starts with; what comes behind another one is data."""
    is_segment = len(head) > 4 and head[0] == 0xFF and 0xC0 <= head[1] < 0xFF
    is_data = head[1:2] and 0xD0 <= head[1] <= 0xDA
    return head[1] if is_segment and not is_data and int.from_bytes(head[2:4]) >= 2 else None


def _read_at(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)


_PARTS = {"PNG": _png_parts, "JPEG": _jpeg_parts}
