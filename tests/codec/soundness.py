"""What holds of whatever is made of an upload."""

from hashlib import sha256

from asgilook.codec import MEDIA_TYPES, Ingested, IngestOptions
from asgilook.image import Size, ladder
from tests import pictures


def assert_sound(made: Ingested, options: IngestOptions) -> None:
    """Hold what was made against what it says of itself."""
    assert made.source_type in MEDIA_TYPES.values()
    assert made.size.width * made.size.height <= options.limits.max_pixels
    assert made.sha256 == sha256(made.jpeg).digest()
    assert 5 <= len(made.placeholder) <= 25
    assert list(made.thumbnails) == ladder(made.size, options.min_thumb_size)
    _assert_jpeg(made.jpeg, made.size)
    for size, body in made.thumbnails.items():
        _assert_jpeg(body, size)


def _assert_jpeg(body: bytes, size: Size) -> None:
    picture = pictures.decode(body)
    assert (picture.format, picture.size) == ("JPEG", size)
    assert picture.mode in {"RGB", "L"}
    assert not picture.info.keys() & {"exif", "xmp", "icc_profile", "comment", "photoshop"}
    assert body.endswith(b"\xff\xd9")
