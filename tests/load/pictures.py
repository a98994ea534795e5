"""Pictures of 40 megapixels, of the kinds that people send."""

from collections.abc import Callable
from functools import partial
from io import BytesIO

from PIL import Image, ImageChops

SIZE = (7744, 5168)
SMALL = (640, 480)


def small() -> bytes:
    """Give a small photograph."""
    return _encoded(_photograph(SMALL), "JPEG", quality=88)


def large(kind: str) -> bytes:
    """Give a large picture of one of `KINDS`."""
    return KINDS[kind]()


def _jpeg(**options: object) -> bytes:
    return _encoded(_photograph(SIZE), "JPEG", quality=88, **options)


def _png() -> bytes:
    # Without grain: with it, a PNG is longer than an upload may be.
    return _encoded(_light(SIZE), "PNG", compress_level=1)


def _transparent_png() -> bytes:
    picture = _light(SIZE)
    picture.putalpha(picture.getchannel("R"))
    return _encoded(picture, "PNG", compress_level=1)


def _webp() -> bytes:
    return _encoded(_light(SIZE), "WEBP", method=0)


KINDS: dict[str, Callable[[], bytes]] = {
    "image/jpeg": _jpeg,
    "image/jpeg progressive": partial(_jpeg, progressive=True, subsampling=0),
    "image/png": _png,
    "image/png transparent": _transparent_png,
    "image/webp": _webp,
}
"""By media type, and what is special."""


def _photograph(size: tuple[int, int]) -> Image.Image:
    grain = Image.effect_noise(size, 12)
    return ImageChops.add(_light(size), Image.merge("RGB", [grain] * 3), offset=-128)


def _light(size: tuple[int, int]) -> Image.Image:
    """Paint light that falls on each colour from another side."""
    gradient = Image.linear_gradient("L")
    return Image.merge("RGB", [gradient.rotate(90 * side).resize(size) for side in range(3)])


def _encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
