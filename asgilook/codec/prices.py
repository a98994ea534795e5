"""What rendering takes of memory, known before the original is read.

Measured with Pillow 13 on an original of 40 megapixels; `tests/codec/test_prices.py` measures it
again. The bytes of the original count too, here and in the process that sends them: ours have less
than half a byte a pixel.
"""

from collections.abc import Collection

from asgilook.image import Format, Size
from asgilook.variant import Variant

BASE_COST_BYTES = 8 * 1024 * 1024

_DECODED = 5
"""Bytes a pixel of a decoded original, with those that it is decoded from."""

_HALVED = 2.75
"""The same where libjpeg halves it, a pixel of the whole, with what halving it again takes."""

_RESIZED = 4
"""Bytes a pixel of a thumbnail that is no halving, but made of the whole."""

_ENCODED = {Format.JPEG: 1, Format.WEBP: 12, Format.AVIF: 26}
"""Bytes a pixel of a thumbnail that its encoder takes."""


def rungs_cost_bytes(full: Size, sizes: Collection[Size], kind: Format) -> int:
    """Price a rendering of some of the ladder, of which only one size at a time is in work."""
    largest = max(map(_pixels, sizes))
    if 4 * largest > _pixels(full):
        return _resized_cost_bytes(full, largest, kind)
    return BASE_COST_BYTES + int(_HALVED * _pixels(full) + _ENCODED[kind] * largest)


def variant_cost_bytes(full: Size, variant: Variant) -> int:
    """Price a rendering off the ladder."""
    made = min(_pixels(full), _pixels(variant.box))
    return _resized_cost_bytes(full, made, variant.kind)


def _resized_cost_bytes(full: Size, made_pixels: int, kind: Format) -> int:
    made = (_RESIZED + _ENCODED[kind]) * made_pixels
    return BASE_COST_BYTES + int(_DECODED * _pixels(full)) + made


def _pixels(size: Size) -> int:
    return size.width * size.height
