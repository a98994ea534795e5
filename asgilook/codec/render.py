"""From one of our JPEGs to its thumbnails."""

import io
from collections.abc import Collection, Iterator

from PIL import Image

from asgilook.codec.encode import encode
from asgilook.errors import StoreUnavailable
from asgilook.image import Format, Size

_LANCZOS = Image.Resampling.LANCZOS


def render(jpeg: bytes, sizes: Collection[Size], kind: Format, quality: int) -> dict[Size, bytes]:
    """Make thumbnails of exactly the given sizes from an original, with a single decode.

    A size's bytes are the same whichever other sizes are asked for and in whatever process: a
    rung is always halved from the one above it, also where that one is not wanted itself.
    `jpeg` is one that `ingest` made; raises `StoreUnavailable` where it does not decode.
    """
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
            full = Size(*picture.size)
            make = _halve_down if set(sizes) <= set(_halvings(full)) else _resize_each
            return {size: encode(made, kind, quality) for size, made in make(picture, full, sizes)}
    except (OSError, SyntaxError, ValueError) as error:
        raise StoreUnavailable(f"an original does not decode: {error}") from error


def _halvings(full: Size) -> Iterator[Size]:
    size = full.halved()
    while min(size) > 0:
        yield size
        size = size.halved()


def _halve_down(
    picture: Image.Image, full: Size, sizes: Collection[Size]
) -> Iterator[tuple[Size, Image.Image]]:
    # The first halving happens inside libjpeg, before there are any pixels. It rounds up where
    # we round down, so an odd side is half a pixel wider than the picture itself.
    picture.draft(None, full.halved())
    stage, extent = _loaded(picture), (full.width / 2, full.height / 2)
    smallest = min(sizes)
    for size in _halvings(full):
        stage = _shrink(stage, extent, size)
        extent = (float(size.width), float(size.height))
        if size in sizes:
            yield size, stage.copy()
        if size == smallest:
            return


def _shrink(stage: Image.Image, extent: tuple[float, float], size: Size) -> Image.Image:
    if extent == (2 * size.width, 2 * size.height) == stage.size:
        return stage.reduce(2)
    if stage.size == size:
        return stage
    return stage.resize(size, _LANCZOS, box=(0, 0, *extent))


def _resize_each(
    picture: Image.Image, full: Size, sizes: Collection[Size]
) -> Iterator[tuple[Size, Image.Image]]:
    largest = max(sizes)
    # Twice the size leaves the last step enough to be a clean one.
    picture.draft(None, (2 * largest.width, 2 * largest.height))
    stage = _loaded(picture)
    for size in sizes:
        yield size, stage.copy() if size == full else stage.resize(size, _LANCZOS)


def _loaded(picture: Image.Image) -> Image.Image:
    picture.load()
    return picture
