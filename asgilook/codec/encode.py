"""From pixels to files."""

import io
import os
from collections.abc import Callable
from typing import Any

from PIL import Image

from asgilook.image import Format
from asgilook.timing import timed

_OPTIONS: dict[Format, dict[str, Any]] = {
    Format.JPEG: {},
    Format.WEBP: {"method": 4},
    Format.AVIF: {"speed": 8, "max_threads": 1},
}


def encode(
    picture: Image.Image, kind: Format, quality: int, *, is_chroma_full: bool = False
) -> bytes:
    """Encode an L or RGB picture, without any metadata.

    `quality` goes from 1 to 100, on each format's own scale. A JPEG keeps its colours at half the
    resolution of its light, unless told otherwise.
    """
    # Whatever the picture still knows of its past must not travel on (comment, EXIF, profile).
    picture.info.clear()
    options = {"format": kind.name, "quality": quality, **_OPTIONS[kind]}
    if is_chroma_full:
        options["subsampling"] = "4:4:4"
    write = _through_file if kind is Format.JPEG and hasattr(os, "memfd_create") else _in_memory
    with timed("encode"):
        return write(lambda target: picture.save(target, **options))


def _through_file(save: Callable[[Any], None]) -> bytes:
    """Save into a real file: only then does Pillow's JPEG encoder let go of the GIL."""
    with os.fdopen(os.memfd_create("asgilook"), "w+b") as file:
        save(file)
        file.seek(0)
        return file.read()


def _in_memory(save: Callable[[Any], None]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()
