"""From untrusted bytes to what the service keeps.

Run it in a child process that may be killed: `workers.py` does. Nothing that Pillow raises on a
hostile file is allowed to mean anything but "this is no picture".
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from asgilook.codec.colour import Colour, flatten
from asgilook.codec.encode import encode
from asgilook.codec.placeholder import thumbhash
from asgilook.codec.render import render
from asgilook.errors import BrokenPicture, PictureTooLarge, UnsupportedType, UploadRefused
from asgilook.image import Format, Size, ladder
from asgilook.timing import timed

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    # A JPEG with more pictures behind the first; Pillow's JPEG reader finds it.
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
}
"""The formats that are taken, by Pillow's names for them. All its other readers stay closed."""

MAX_SIDE = 65_500
"""The longest side that a JPEG can have (libjpeg's JPEG_MAX_DIMENSION)."""

_READERS = [name for name in MEDIA_TYPES if name != "MPO"]

# Pillow's own bound would speak first, of a broken picture; `_check_size` is ours.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """What pictures become; the same for all of them."""

    max_pixels: int
    min_thumb_size: int
    jpeg_quality: int
    thumbnail_quality: int
    background: Colour


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of an upload."""

    jpeg: bytes
    sha256: bytes
    size: Size
    source_type: str
    placeholder: bytes
    thumbnails: Mapping[Size, bytes]
    """The whole ladder, as JPEG."""


def ingest(source: Path, options: IngestOptions) -> Ingested:
    """Make a clean JPEG, its ladder and its placeholder of an uploaded file.

    The JPEG has the picture's displayed orientation, sRGB colours and no metadata. Raises
    `UnsupportedType`, `BrokenPicture` or `PictureTooLarge`.
    """
    try:
        source_type, picture = _decode(source, options)
        jpeg = encode(picture, Format.JPEG, options.jpeg_quality)
        placeholder = thumbhash(picture)
    except UploadRefused:
        raise
    except UnidentifiedImageError as error:
        raise UnsupportedType(str(error)) from None
    except Exception as error:  # noqa: BLE001 - what Pillow raises on broken files has no end
        raise BrokenPicture(f"{type(error).__name__}: {error}") from None
    size = Size(*picture.size)
    rungs = ladder(size, options.min_thumb_size)
    thumbnails = render(jpeg, rungs, Format.JPEG, options.thumbnail_quality)
    digest = hashlib.sha256(jpeg).digest()
    return Ingested(jpeg, digest, size, source_type, placeholder, thumbnails)


def _decode(source: Path, options: IngestOptions) -> tuple[str, Image.Image]:
    with Image.open(source, formats=_READERS) as file:
        _check_size(file.size, options.max_pixels)
        with timed("decode"):
            file.load()
        flat = flatten(file, options.background)
        return MEDIA_TYPES[file.format or ""], _upright(flat, file)


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if max(size) > MAX_SIDE or width * height > max_pixels:
        raise PictureTooLarge(f"{width}x{height}")


def _upright(picture: Image.Image, file: Image.Image) -> Image.Image:
    """Turn the picture as its EXIF says; where that is broken, leave it as it lies."""
    try:
        orientation = file.getexif().get(0x0112, 1)
        turn = _TURNS.get(orientation)
    except Exception:  # noqa: BLE001 - sound pixels around broken metadata are a sound picture
        return picture
    return picture if turn is None else picture.transpose(turn)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
