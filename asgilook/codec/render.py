"""From one of our JPEGs to its thumbnails."""

import contextlib
import io
import math
from collections.abc import Collection, Iterator

from PIL import Image

from asgilook.codec.encode import encode
from asgilook.errors import StoreUnavailable
from asgilook.image import Format, Size
from asgilook.timing import timed
from asgilook.variant import Fit, Variant

BAND_PIXELS = 256 * 1024
"""Of a thumbnail, halved at once: from a photograph of 2560x1600 each is a single band."""

_REACH = 4
"""Rows that halving by a bicubic filter looks at beside its own, on either side."""

_BICUBIC = Image.Resampling.BICUBIC
_LANCZOS = Image.Resampling.LANCZOS

Box = tuple[float, float, float, float]
"""Left, upper, right and lower edge, in pixels."""


def render(jpeg: bytes, sizes: Collection[Size], kind: Format, quality: int) -> dict[Size, bytes]:
    """Make thumbnails of exactly the given sizes from an original, with a single decode.

    A size's bytes are the same whichever other sizes are asked for and in whatever process: a
    rung is always halved from the one above it, also where that one is not wanted itself.
    `jpeg` is one that `ingest` made; raises `StoreUnavailable` where it does not decode.
    """
    with _as_unavailable():
        descent = _Descent(_opened(jpeg))
        downwards = sorted(sizes, reverse=True)
        return {size: encode(descent.to(size), kind, quality) for size in downwards}


def render_variant(jpeg: bytes, variant: Variant, quality: int) -> bytes:
    """Make one thumbnail off the ladder; `quality` is for a variant without its own.

    It is as large as its box, or smaller where the original is. Raises as `render` does.
    """
    with _as_unavailable():
        picture = _opened(jpeg)
        full = Size(*picture.size)
        if variant.fit is Fit.COVER:
            part, size = _covering(full, variant.box)
        else:
            part, size = (0.0, 0.0, *full), _contained(full, variant.box)
        return encode(_cut(picture, part, size), variant.kind, variant.quality or quality)


@contextlib.contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except (OSError, SyntaxError, ValueError, MemoryError) as error:
        raise StoreUnavailable(f"an original does not decode: {error!r}") from error


def _opened(jpeg: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(jpeg), formats=["JPEG"])
    # It is there already: to hand it over in pieces of 64 KiB would only copy it.
    picture.decodermaxblock = len(jpeg)
    return picture


def _halvings(full: Size) -> Iterator[Size]:
    size = full.halved()
    while min(size) > 0:
        yield size
        size = size.halved()


class _Descent:
    """A picture on its way down: of its stages, only where it has come to is in memory."""

    def __init__(self, picture: Image.Image) -> None:
        self._stage = picture
        self._full = self._size = Size(*picture.size)

    def to(self, size: Size) -> Image.Image:
        """Halve it until it has a size that is below the one before."""
        if size not in _halvings(self._full):
            # The one rung of an image that is too small or too long for any.
            return _cut(self._stage, (0, 0, *self._full), size)
        while self._size != size:
            self._halve()
        return self._stage

    def _halve(self) -> None:
        extent: tuple[float, float] = self._size
        size = self._size.halved()
        if self._size == self._full:
            # The first halving happens inside libjpeg, before there are any pixels. It rounds up
            # where we round down, so an odd side is half a pixel wider than the picture itself.
            self._stage.draft(None, size)
            _load(self._stage)
            extent = (self._full.width / 2, self._full.height / 2)
        with timed("resize"):
            self._shrink(extent, size)
        self._size = size

    def _shrink(self, extent: tuple[float, float], size: Size) -> None:
        if extent == (2 * size.width, 2 * size.height) == self._stage.size:
            self._stage = _halved(self._stage, size)
        elif self._stage.size != size:
            self._stage = self._stage.resize(size, _LANCZOS, box=(0, 0, *extent))


def _halved(picture: Image.Image, size: Size) -> Image.Image:
    """Give a picture of half the size, made in bands: its two steps need room for only one."""
    height = max(1, BAND_PIXELS // size.width)
    if size.height <= height:
        return _band(picture, size, range(size.height))
    halved = Image.new(picture.mode, size)
    for top in range(0, size.height, height):
        rows = range(top, min(top + height, size.height))
        halved.paste(_band(picture, size, rows), (0, top))
    return halved


def _band(picture: Image.Image, size: Size, rows: range) -> Image.Image:
    """Give some rows of the picture of half the size.

    A box is enough across, if a better filter goes down: nearly as good as both ways, and a third
    of the time. The filter looks `_REACH` rows beyond, so that no band shows.
    """
    above = max(0, 2 * rows.start - _REACH)
    below = min(picture.height, 2 * rows.stop + _REACH)
    across = picture.reduce((2, 1), box=(0, above, picture.width, below))
    box = (0, 2 * rows.start - above, size.width, 2 * rows.stop - above)
    return across.resize((size.width, len(rows)), _BICUBIC, box=box)


def _contained(full: Size, box: Size) -> Size:
    scale = min(1.0, box.width / full.width, box.height / full.height)
    return Size(max(1, round(full.width * scale)), max(1, round(full.height * scale)))


def _covering(full: Size, box: Size) -> tuple[Box, Size]:
    """Find the middle part of a picture with a box's proportions, and the size it comes out in."""
    scale = max(box.width / full.width, box.height / full.height)
    # One side is the picture's own, but for an error of the last digit.
    width, height = min(full.width, box.width / scale), min(full.height, box.height / scale)
    left, upper = (full.width - width) / 2, (full.height - height) / 2
    shrink = max(1.0, scale)
    size = Size(max(1, round(box.width / shrink)), max(1, round(box.height / shrink)))
    return (left, upper, left + width, upper + height), size


def _cut(picture: Image.Image, part: Box, size: Size) -> Image.Image:
    """Decode a picture at the smallest scale that serves, and resize a part of it."""
    full = picture.size
    # Twice the size leaves the last step enough to be a clean one.
    scale = 2 * max(size.width / (part[2] - part[0]), size.height / (part[3] - part[1]))
    drafted = picture.draft(None, (math.ceil(full[0] * scale), math.ceil(full[1] * scale)))
    # libjpeg rounds its scaled size up, each way for itself; Pillow tells it before that.
    shrunk = full[0] / drafted[1][2] if drafted else 1
    _load(picture)
    with timed("resize"):
        left, upper, right, lower = (edge / shrunk for edge in part)
        box = (left, upper, min(right, picture.width), min(lower, picture.height))
        return picture.resize(size, _LANCZOS, box=box)


def _load(picture: Image.Image) -> None:
    with timed("decode"):
        picture.load()
