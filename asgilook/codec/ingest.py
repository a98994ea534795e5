"""From untrusted bytes to what the service keeps.

Run it in a child process that may be killed: `workers.py` does.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image

from asgilook.codec.colour import Colour, flatten
from asgilook.codec.encode import encode
from asgilook.codec.header import READERS, HeaderLimits, as_refusals, check
from asgilook.codec.placeholder import thumbhash
from asgilook.codec.render import render
from asgilook.image import Format, Size, ladder
from asgilook.timing import timed


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """What pictures become; the same for all of them."""

    limits: HeaderLimits
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

    @property
    def length_bytes(self) -> int:
        """Tell how long all its files are together."""
        return len(self.jpeg) + sum(map(len, self.thumbnails.values()))


def ingest(source: Path, options: IngestOptions) -> Ingested:
    """Make a clean JPEG, its ladder and its placeholder of an uploaded file.

    The JPEG has the picture's displayed orientation, sRGB colours and no metadata. Raises
    `UnsupportedType`, `BrokenPicture` or `PictureTooLarge`.
    """
    with as_refusals():
        source_type, picture = _decode(source, options)
        size = Size(*picture.size)
        placeholder = thumbhash(picture)
        jpeg = encode(picture, Format.JPEG, options.jpeg_quality)
    del picture  # the ladder needs memory of its own
    rungs = ladder(size, options.min_thumb_size)
    thumbnails = render(jpeg, rungs, Format.JPEG, options.thumbnail_quality)
    digest = hashlib.sha256(jpeg).digest()
    return Ingested(jpeg, digest, size, source_type, placeholder, thumbnails)


def _decode(source: Path, options: IngestOptions) -> tuple[str, Image.Image]:
    with Image.open(source, formats=READERS) as file:
        header = check(file, source, options.limits)
        with timed("decode"):
            file.load()
        turn = _turn(file)
        picture = flatten(file, options.background)
        return header.media_type, picture if turn is None else picture.transpose(turn)


def _turn(file: Image.Image) -> Image.Transpose | None:
    """Find how the picture is to be turned; where its EXIF is broken, it lies as it should.

    Only EXIF counts: Pillow would take an orientation from XMP too, which no browser does.
    """
    try:
        exif = Image.Exif()
        exif.load(file.info.get("exif", b""))
        return _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - sound pixels around broken metadata are a sound picture
        return None


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
