"""What a file is made of, counted before a reader is let near it.

To a reader each piece of a file costs the same, however short it is, and to some readers the more
the more there are of them. Encoders make few and long ones; so whoever brings very many wants the
reader's time. Counting reads no more than the lengths, and stops as soon as it knows.
"""

import mmap
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from asgilook.codec.directory import Directory
from asgilook.errors import BrokenPicture

MAX_PIECES = 20_000
"""Chunks of a PNG (an encoder's have some 8 KB) or WebP, blocks of a GIF, boxes of an AVIF."""

MAX_PROFILES = 4
"""Each profile of a PNG is unpacked; there may be one (PNG 3, section 11.3.2.3)."""

MAX_SEGMENTS = 2_000
"""Of a JPEG, of up to 64 KB each; the longest profile there can be takes 255."""

MAX_EXIF_SEGMENTS = 16
"""Pillow makes one of them, copying all it has for each one that it adds."""

MAX_JUNK = 4_096
"""Bytes between the segments of a JPEG; Pillow looks at them one by one."""

MANY_SCANS, MAX_SCANS = 20, 100
"""Real progressive JPEGs have some ten scans, and each costs as much as the first ..."""

MAX_SCANNED_PIXELS = 100_000_000
"""... so that there may be many only where they are small."""

MAX_SCANS_OF_STRIP = 4
"""On average, of a JPEG in a TIFF: it may have one for each colour (TIFF technical note 2)."""

MAX_ENTRIES = 4_096
"""Of a TIFF's first directory; a camera's have a hundred."""

MAX_VALUES = 200_000
"""Of one entry in a TIFF: at 50 megapixels the smallest tiles there are make as many."""

MAX_ITEMS_BYTES = 64 * 1024
"""What an AVIF may tell of its items; libavif compares each with each. Real ones take some KB."""

MAX_RUNS_BYTES, MAX_RUNS_PIXELS = 2 * 1024 * 1024, 4_000_000
"""Of a BMP in runs: Pillow unpacks them in Python."""

_MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)
_AFTER_SCAN = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])", re.DOTALL)
_START_OF_SCAN, _EXIF_MARKER = 0xDA, 0xE1
# Pillow goes on right behind them, whatever length they tell; and it does not end at an end (D9).
_BARE_MARKERS = {0x01, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)}
_FRAME_MARKERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# A profile may be long (in `ipco`), and so may a picture among the items (in `idat`).
_LONG_BOXES = {b"ipco", b"idat"}
_COMPRESSION, _JPEG_IN_TIFF = 259, 7
# Of strips, or of tiles.
_PLACES, _LENGTHS = (273, 324), (279, 325)


def check_structure(source: Path) -> None:
    """Raise `BrokenPicture` where a file is made to be slow."""
    with source.open("rb") as file:
        start = file.read(16)
        if (check := _check_for(start)) is None:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                check(data)
            except (struct.error, IndexError, OverflowError):
                return  # it is cut off, and may be sound up to there


def _check_for(start: bytes) -> "Callable[[mmap.mmap], None] | None":
    name = start[4:8] if start[4:8] == b"ftyp" else start[:4]
    return next((check for magic, check in _CHECKS.items() if name.startswith(magic)), None)


def _slow(what: str) -> BrokenPicture:
    return BrokenPicture(f"made to be slow: {what}")


def _check_jpeg(data: mmap.mmap) -> None:
    """Count what lies before the end of the first picture."""
    scans = exifs = pixels = 0
    for count, (marker, position) in enumerate(_segments(data), 1):
        scans += marker == _START_OF_SCAN
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", data, position + 3)
            pixels = max(pixels, height * width)
        elif marker == _EXIF_MARKER:
            exifs += data[position + 2 : position + 8] == b"Exif\0\0"
        if count > MAX_SEGMENTS or exifs > MAX_EXIF_SEGMENTS:
            raise _slow("segments")
        if scans > MAX_SCANS or (scans > MANY_SCANS and scans * pixels > MAX_SCANNED_PIXELS):
            raise _slow("scans")


def _segments(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Give the marker of each segment, and where its length stands (ITU-T T.81, annex B)."""
    position, is_scan, has_scans = 2, False, False
    while True:
        ahead, end = (_AFTER_SCAN, len(data)) if is_scan else (_MARKER, position + MAX_JUNK)
        match = ahead.search(data, position, end)
        if match is None and end < len(data):
            raise _slow("junk")
        if match is None or (has_scans and match[1] == b"\xd9"):
            return
        marker, position = match[1][0], match.end()
        is_scan = marker == _START_OF_SCAN
        has_scans |= is_scan
        yield marker, position
        if marker not in _BARE_MARKERS:
            (length,) = struct.unpack_from(">H", data, position)
            position += max(length, 2)


def _check_png(data: mmap.mmap) -> None:
    """Walk along the chunks (PNG 3, section 5.3)."""
    position, profiles = 8, 0
    for _ in range(MAX_PIECES):
        length, name = struct.unpack_from(">I4s", data, position)
        profiles += name == b"iCCP"
        if profiles > MAX_PROFILES:
            raise _slow("profiles")
        if name == b"IEND":
            return
        position += 12 + length
    raise _slow("chunks")


def _check_webp(data: mmap.mmap) -> None:
    """Walk along the chunks, each frame of which is one (RFC 9649, section 2.3)."""
    position = 12
    for _ in range(MAX_PIECES):
        (length,) = struct.unpack_from("<I", data, position + 4)
        position += 8 + length + length % 2
    raise _slow("chunks")


def _check_gif(data: mmap.mmap) -> None:
    """Walk along the blocks (GIF 89a, section 15) up to the first picture."""
    flags = data[10]
    position = 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
    is_within = False
    for _ in range(MAX_PIECES):
        first = data[position]
        if is_within:
            position += 1 + first
            is_within = first != 0
        elif first in b",;":
            return
        else:
            is_within = first == 0x21
            position += 2 if is_within else 1
    raise _slow("blocks")


def _check_tiff(data: mmap.mmap) -> None:
    """Look at the entries of the first directory, and at JPEGs within (TIFF 6.0; BigTIFF)."""
    directory = Directory(data)
    if directory.length > MAX_ENTRIES:
        raise _slow("entries")
    for entry in directory.entries:
        # What is told to be longer than the file is not read.
        if MAX_VALUES < entry.count <= len(data) // entry.value_bytes:
            raise _slow("values")
    if directory.values(_COMPRESSION) == (_JPEG_IN_TIFF,):
        _check_jpegs(data, directory)


def _check_jpegs(data: mmap.mmap, directory: Directory) -> None:
    """Count the scans of a TIFF's strips or tiles, each of which is a JPEG of its own."""
    places = [value for tag in _PLACES for value in directory.values(tag)]
    lengths = [value for tag in _LENGTHS for value in directory.values(tag)]
    if sum(lengths) > len(data):
        raise _slow("strips")
    scans, most = 0, MANY_SCANS + MAX_SCANS_OF_STRIP * len(places)
    for place, length in zip(places, lengths, strict=False):
        position, end = data.find(b"\xff\xda", place, place + length), place + length
        while position >= 0:
            scans, position = scans + 1, data.find(b"\xff\xda", position + 2, end)
            if scans > most:
                raise _slow("scans")


def _check_avif(data: mmap.mmap) -> None:
    """Look into the `meta` box, where the items are listed (ISO/IEC 23008-12)."""
    for name, start, end in _boxes(data, 0, len(data)):
        if name == b"meta" and _told_of_items(data, start + 4, end) > MAX_ITEMS_BYTES:
            raise _slow("items")


def _told_of_items(data: mmap.mmap, start: int, end: int) -> int:
    told = 0
    for name, begin, stop in _boxes(data, start, end):
        if name == b"iprp":
            told += _told_of_items(data, begin, stop)
        elif name not in _LONG_BOXES:
            told += stop - begin
    return told


def _boxes(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Give name, start and end of the content of each box (ISO/IEC 14496-12, section 4.2)."""
    for _ in range(MAX_PIECES):
        if start + 8 > end:
            return
        length, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        stop = start + length if length else end
        if length and length < head:
            return  # no reader gets past it
        yield name, start + head, min(stop, end)
        start = stop
    raise _slow("boxes")


def _check_bmp(data: mmap.mmap) -> None:
    """Look for run-length encoding, which is compression 1 or 2 of a BITMAPINFOHEADER."""
    width, height, _, _, compression = struct.unpack_from("<iiHHI", data, 18)
    is_in_runs = compression in {1, 2}
    if is_in_runs and (len(data) > MAX_RUNS_BYTES or abs(width * height) > MAX_RUNS_PIXELS):
        raise _slow("runs")


_CHECKS = {
    b"\xff\xd8\xff": _check_jpeg,
    b"\x89PNG": _check_png,
    b"RIFF": _check_webp,
    b"GIF8": _check_gif,
    b"II": _check_tiff,
    b"MM": _check_tiff,
    b"ftyp": _check_avif,
    b"BM": _check_bmp,
}
