"""What the JSON of this service looks like."""

import base64
from email.utils import format_datetime
from typing import TypedDict

from asgilook.http import urls
from asgilook.image import Format, Image, Size


class ImageView(TypedDict):
    """An image's JSON; all links are paths, never built from what a client sent."""

    id: str
    image: str
    modified: str
    size: list[int]
    thumbnails: list[str]
    created: str
    bytes: int
    placeholder: str
    srcset: dict[str, str]


def image_view(image: Image, rungs: list[Size]) -> ImageView:
    """Describe an image and the sizes it comes in, largest first."""
    return {
        "id": str(image.id),
        "image": urls.original_path(image),
        "modified": http_date(image),
        "size": list(image.size),
        "thumbnails": [urls.thumbnail_path(image.id, size, Format.JPEG) for size in rungs],
        "created": image.created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "bytes": image.length_bytes,
        "placeholder": base64.b64encode(image.placeholder).decode(),
        "srcset": {kind.value: _srcset(image, rungs, kind) for kind in Format},
    }


def http_date(image: Image) -> str:
    """Give the time of an image as HTTP spells it (RFC 9110, section 5.6.7)."""
    return format_datetime(image.modified, usegmt=True)


def _srcset(image: Image, rungs: list[Size], kind: Format) -> str:
    """List candidates with their widths (HTML, section 4.8.4.2.1); the original is a JPEG."""
    sizes = [size for size in rungs if max(size) <= kind.max_side]
    candidates = [(urls.thumbnail_path(image.id, size, kind), size.width) for size in sizes]
    if kind is Format.JPEG and image.size not in rungs:
        candidates.insert(0, (urls.original_path(image), image.size.width))
    return ", ".join(f"{path} {width}w" for path, width in candidates)
