"""What a file says of itself, and what decoding it would cost, before any of its pixels are made.

This is read in a child process too: what only parses a header can be as hostile as the rest.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from asgilook.codec.formats import MEDIA_TYPES, opened
from asgilook.errors import BrokenPicture, PictureTooLarge, UploadRefused
from asgilook.image import Size

MAX_SIDE = 65_500
"""The longest side that a JPEG can have (libjpeg's JPEG_MAX_DIMENSION)."""

# Pillow's own bound would speak first, of a broken picture; ours is held in `check`.
Image.MAX_IMAGE_PIXELS = None

BASE_COST_BYTES = 8 * 1024 * 1024

# The peak of memory while a file is decoded and encoded, in bytes a pixel: measured with Pillow 13
# on 24 megapixels, and a tenth more. `tests/test_intake.py` measures it again.
_COSTS = {"WEBP": 16.5, "AVIF": 11, "HEIF": 10, "JPEG": 5}
_OTHER_COST = 6
_ALPHA_COST = {"WEBP": 16.5, "AVIF": 15, "HEIF": 12}
_OTHER_ALPHA_COST = 11
_DEEP_COST = 13
_COPY_COST = 4
"""Of a picture that is turned, converted by its profile, or from inks."""
_SCANS_COST = 2
"""A sample: of a JPEG that comes in several scans libjpeg holds all, twice as wide."""
_READ_WHOLE = {"WEBP": 2, "AVIF": 2, "HEIF": 2}
"""How many copies of the whole file, whatever it is full of, their readers have in memory."""


@dataclass(frozen=True, slots=True)
class Header:
    """What can be known of a file without decoding it."""

    media_type: str
    size: Size
    """As the pixels lie in the file."""
    cost_bytes: int
    """The memory that decoding it takes, at most."""


@dataclass(frozen=True, slots=True)
class HeaderLimits:
    """What is refused from the header already."""

    max_pixels: int
    max_cost_bytes: int


def inspect(source: Path, limits: HeaderLimits) -> Header:
    """Read the header of an uploaded file.

    Raises `UnsupportedType`, `BrokenPicture` and `PictureTooLarge`.
    """
    with as_refusals(), opened(source) as file:
        return check(file, source.stat().st_size, limits)


def check(file: Image.Image, length_bytes: int, limits: HeaderLimits) -> Header:
    """Hold an opened file of this length against the limits. Raises as `inspect` does."""
    kind = file.format or ""
    size = Size(*file.size)
    if max(size) > MAX_SIDE or size.width * size.height > limits.max_pixels:
        raise PictureTooLarge(str(size))
    cost_bytes = _cost_bytes(file, kind) + _READ_WHOLE.get(kind, 0) * length_bytes
    header = Header(MEDIA_TYPES[kind], size, cost_bytes)
    if header.cost_bytes > limits.max_cost_bytes:
        raise PictureTooLarge(f"{size} in {kind} takes {header.cost_bytes} bytes")
    return header


def _cost_bytes(file: Image.Image, kind: str) -> int:
    if file.has_transparency_data:
        cost = _ALPHA_COST.get(kind, _OTHER_ALPHA_COST)
    elif file.mode.startswith(("I", "F")):
        cost = _DEEP_COST
    else:
        cost = _COSTS.get(kind, _OTHER_COST) + _COPY_COST * (file.mode == "CMYK")
    if "progressive" in file.info:
        cost += _SCANS_COST * len(file.getbands())
    is_turned = "exif" in file.info or kind == "TIFF"
    cost += _COPY_COST * (is_turned + ("icc_profile" in file.info))
    width, height = file.size
    return BASE_COST_BYTES + int(cost * width * height)


@contextlib.contextmanager
def as_refusals() -> Iterator[None]:
    """Let nothing that Pillow raises on a hostile file mean anything but "this is no picture"."""
    try:
        yield
    except UploadRefused:
        raise
    except MemoryError:
        raise PictureTooLarge("out of memory") from None
    except Exception as error:  # noqa: BLE001 - what Pillow raises on broken files has no end
        raise BrokenPicture(f"{type(error).__name__}: {error}") from None
