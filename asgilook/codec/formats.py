"""The formats that are taken: how they are told apart, and who reads them."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import PIL.WebPImagePlugin  # noqa: F401 - for the first WebP Pillow would import all its readers
from PIL import AvifImagePlugin, Image, ImageFile

from asgilook.codec.excerpt import excerpt
from asgilook.codec.structure import check_structure
from asgilook.errors import UnsupportedType

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
}
"""The formats that are taken, by Pillow's names for them. All its other readers stay closed."""

# Without the extra `heif` a HEIC is of a type that is not taken: decided once, at the start.
with contextlib.suppress(ImportError):
    from pillow_heif import register_heif_opener

    # Threads and the pictures beside the picture would cost memory that nobody counts.
    register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
    MEDIA_TYPES["HEIF"] = "image/heic"

# A thread for each processor takes more address space than a decoder has; one is what it gets.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

UPLOAD_TYPES = [*MEDIA_TYPES.values(), *(["image/heif"] if "HEIF" in MEDIA_TYPES else [])]
"""What an upload may be announced as: Android calls HEIC by its other name."""

_SIGNATURES = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "GIF": rb"GIF8[79]a",
    "WEBP": rb"RIFF....WEBP",
    # A brand of the file, or of those that it is compatible with (ISO/IEC 14496-12, section 4.3).
    "AVIF": rb"....ftyp(....)*?avi[fs]",
    "HEIF": rb"....ftyp(....)*?he(i[cxms]|v[cxms])",
    "TIFF": rb"II[*+]\0|MM\0[*+]|MM[*]\0|II\0[*]",
    # With a header of one of the lengths that there are.
    "BMP": rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0",
}
_HEAD_BYTES = 256


@contextlib.contextmanager
def opened(source: Path) -> Iterator[ImageFile.ImageFile]:
    """Open an uploaded file with the one reader that its first bytes call for.

    Raises `UnsupportedType` where there is none, and whatever Pillow raises on broken files.
    """
    check_structure(source)
    with source.open("rb") as file:
        kind = _kind(file.read(_HEAD_BYTES))
        file.seek(0)
        with Image.open(excerpt(file, kind), formats=[kind]) as picture:
            assert isinstance(picture, ImageFile.ImageFile)
            yield picture


def _kind(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        head = head[: int.from_bytes(head[:4])]
    for kind, signature in _SIGNATURES.items():
        if kind in MEDIA_TYPES and re.match(signature, head, re.DOTALL):
            return kind
    raise UnsupportedType(f"starts with {head[:16]!r}")
