"""From pixels to files."""

import io
from itertools import pairwise
from typing import Any

from PIL import Image

from asgilook.image import Format
from asgilook.timing import timed

_OPTIONS: dict[Format, dict[str, Any]] = {
    Format.JPEG: {},
    Format.WEBP: {"method": 4},
    Format.AVIF: {"speed": 9, "max_threads": 1},
}

_AVIF_QUALITIES = ((0, 0), (10, 22), (30, 44), (60, 54), (80, 66), (90, 78), (100, 100))
"""JPEG's qualities, and those of an AVIF that is as like the picture: see ARCHITECTURE.md."""


def encode(
    picture: Image.Image, kind: Format, quality: int, *, is_chroma_full: bool = False
) -> bytes:
    """Encode an L or RGB picture, without any metadata.

    `quality` goes from 1 to 100 and means what it means of a JPEG, whatever the format. A JPEG
    keeps its colours at half the resolution of its light, unless told otherwise.
    """
    # Whatever the picture still knows of its past must not travel on (comment, EXIF, profile).
    picture.info.clear()
    quality = _avif_quality(quality) if kind is Format.AVIF else quality
    options = {"format": kind.name, "quality": quality, **_OPTIONS[kind]}
    if is_chroma_full:
        options["subsampling"] = "4:4:4"
    file = io.BytesIO()
    with timed("encode"):
        picture.save(file, **options)
    return file.getvalue()


def _avif_quality(quality: int) -> int:
    """Tell with what quality an AVIF is as like the picture as a JPEG with the one given."""
    (low, least), (high, most) = next(
        (lower, upper) for lower, upper in pairwise(_AVIF_QUALITIES) if quality <= upper[0]
    )
    return round(least + (most - least) * (quality - low) / (high - low))
