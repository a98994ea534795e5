"""From untrusted bytes to what the service keeps.

Run it in a child process that may be killed: `workers.py` does.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, ImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import get_sampling

from asgilook.codec.colour import Colour, flatten
from asgilook.codec.depth import scale_key
from asgilook.codec.encode import encode
from asgilook.codec.formats import opened
from asgilook.codec.header import HeaderLimits, as_refusals, check
from asgilook.codec.placeholder import thumbhash
from asgilook.codec.render import render
from asgilook.image import Format, Size, ladder
from asgilook.timing import timed

_HALF_CHROMA = 2
"""4:2:0, by Pillow's numbers."""


_SMALL_PIXELS = 256 * 256
_SMALL_QUALITY = 97
"""Small pictures are drawings more often than not, and cost few bytes however good they are."""


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
        decoded = _decode(source, options)
        picture = decoded.picture
        size = Size(*picture.size)
        quality = _quality(size, options)
        jpeg = encode(picture, Format.JPEG, quality, is_chroma_full=decoded.is_chroma_full)
        source_type = decoded.source_type
        del decoded, picture  # the ladder needs memory of its own
        rungs = ladder(size, options.min_thumb_size)
        thumbnails = render(jpeg, rungs, Format.JPEG, options.thumbnail_quality)
        placeholder = _placeholder(thumbnails[rungs[-1]])
    digest = hashlib.sha256(jpeg).digest()
    return Ingested(jpeg, digest, size, source_type, placeholder, thumbnails)


def _placeholder(smallest: bytes) -> bytes:
    """Blur the smallest rung: to shrink the whole picture would take ten times as long."""
    with Image.open(io.BytesIO(smallest), formats=["JPEG"]) as picture:
        return thumbhash(picture)


def _quality(size: Size, options: IngestOptions) -> int:
    is_small = size.width * size.height <= _SMALL_PIXELS
    return max(options.jpeg_quality, _SMALL_QUALITY) if is_small else options.jpeg_quality


@dataclass(frozen=True, slots=True)
class _Decoded:
    source_type: str
    is_chroma_full: bool
    picture: Image.Image


def _decode(source: Path, options: IngestOptions) -> _Decoded:
    with opened(source) as file:
        header = check(file, source.stat().st_size, options.limits)
        with timed("decode"):
            _load(file)
        turn = _turn(file)
        is_chroma_full = not _has_half_chroma(file)
        picture = _composed(flatten(file, options.background), file, options.background)
        picture = picture if turn is None else picture.transpose(turn)
        return _Decoded(header.media_type, is_chroma_full, picture)


def _load(file: ImageFile.ImageFile) -> None:
    # Pillow's TIFF reader turns the picture itself, and by XMP too.
    file.info.pop("xmp", None)
    if file.format == "PNG":
        scale_key(file)
    file.load()


def _composed(picture: Image.Image, file: Image.Image, background: Colour) -> Image.Image:
    """Show the background around the first frame of a GIF that does not fill its screen."""
    extent = file.dispose_extent if isinstance(file, GifImageFile) else None
    if extent in {None, (0, 0, *file.size)}:
        return picture
    # Onto the picture, not around a copy of it: each takes four bytes a pixel.
    screen = picture if picture.mode == "RGB" else picture.convert("RGB")
    left, upper, right, lower = extent
    for margin in (
        (0, 0, screen.width, upper),
        (0, upper, left, lower),
        (right, upper, screen.width, lower),
        (0, lower, *screen.size),
    ):
        screen.paste(background, margin)
    return screen


def _has_half_chroma(file: Image.Image) -> bool:
    """Tell whether the colours come at half the resolution, so that there is no more to keep."""
    return get_sampling(file) == _HALF_CHROMA and file.info.get("adobe_transform") != 0


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
