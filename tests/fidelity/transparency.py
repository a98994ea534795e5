"""Pictures that are clear here and there, and hide something beneath."""

import struct
from collections.abc import Iterator

from PIL import Image, ImageChops

from tests import pictures
from tests.fidelity.chart import CHART, COLOURS, GREY_CHART, GREYS, PATCH, SIZE, painted
from tests.fidelity.containers import chunk, png, tiff
from tests.fidelity.depths import packed, rows
from tests.fidelity.kind import Kind
from tests.fidelity.orientations import FINE

GROUP = "transparency"
BACKGROUND = (0x30, 0x60, 0x9C)
"""Neither white nor grey, so that what should show it can not do so by chance."""

_WIDTH, _HEIGHT = SIZE


def _alpha(levels: int) -> Image.Image:
    """Make the patches ever clearer, in so many levels, from one that is clear."""
    values = [255 * (number % levels) // (levels - 1) for number in range(len(COLOURS))]
    return painted([(value, value, value) for value in values], "L")


CLEAR, VEILS = _alpha(2), _alpha(6)


def kinds() -> Iterator[Kind]:
    yield from _channels()
    yield from _palettes()
    yield from _keys()
    yield from _premultiplied()


def _over(colours: Image.Image, alpha: Image.Image) -> Image.Image:
    return Image.composite(colours.convert("RGB"), Image.new("RGB", SIZE, BACKGROUND), alpha)


def _channels() -> Iterator[Kind]:
    veiled, truth = CHART.copy(), _over(CHART, VEILS)
    veiled.putalpha(VEILS)
    for kind, options in FINE.items():
        if kind != "JPEG":
            exact = {"exact": True} if kind == "WEBP" else {}
            upload = pictures.encode(veiled, kind, **options, **exact)
            yield Kind(GROUP, f"{kind}, RGBA", upload, truth)
    grey = GREY_CHART.convert("L")
    grey.putalpha(VEILS)
    for kind in ("PNG", "TIFF"):
        upload = pictures.encode(grey, kind)
        yield Kind(GROUP, f"{kind}, grey and alpha", upload, _over(GREY_CHART, VEILS))


def _palettes() -> Iterator[Kind]:
    palette = CHART.quantize(len(COLOURS))
    for kind in ("PNG", "GIF"):
        for number in (0, len(COLOURS) - 1):
            upload = pictures.encode(palette, kind, transparency=number)
            key = palette.point(lambda value, number=number: 255 * (value != number), "L")
            yield Kind(
                GROUP, f"{kind}, colour {number} of a palette clear", upload, _over(CHART, key)
            )
    steps = bytes(255 * number // (len(COLOURS) - 1) for number in range(len(COLOURS)))
    upload = pictures.encode(palette, "PNG", transparency=steps)
    alpha = palette.convert("L").copy()
    alpha.frombytes(bytes(steps[value] for value in palette.tobytes()))
    yield Kind(GROUP, "PNG, every colour of a palette half clear", upload, _over(CHART, alpha))


def _keys() -> Iterator[Kind]:
    """A single grey or colour is clear (PNG 3, section 11.3.1.1), in the samples' own depth."""
    for bits in (1, 2, 4, 8):
        top = (1 << bits) - 1
        samples = [grey * top // 255 for grey in GREY_CHART.convert("L").tobytes()]
        key = samples[-1]
        data = rows(packed(samples, bits), _WIDTH * bits // 8)
        upload = png(SIZE, bits, 0, data, chunk(b"tRNS", struct.pack(">H", key)))
        shown = Image.frombytes("L", SIZE, bytes(round(s * 255 / top) for s in samples))
        alpha = Image.frombytes("L", SIZE, bytes(255 * (sample != key) for sample in samples))
        yield Kind(GROUP, f"PNG, one of {bits}-bit greys clear", upload, _over(shown, alpha))
    yield from _deep_keys()
    upload = pictures.encode(CHART, "PNG", transparency=COLOURS[7])
    yield Kind(GROUP, "PNG, one colour clear", upload, _over(CHART, _all_but(7)))


def _deep_keys() -> Iterator[Kind]:
    greys = [257 * grey for grey in GREY_CHART.convert("L").tobytes()]
    # What differs in the lower byte only is not clear.
    nearly = [grey + 1 if grey == 257 * GREYS[3][0] else grey for grey in greys]
    for name, key, truth in (
        ("clear", 257 * GREYS[7][0], _over(GREY_CHART, _all_but(7))),
        ("nearly clear", 257 * GREYS[3][0], GREY_CHART),
    ):
        data = rows(struct.pack(f">{len(nearly)}H", *nearly), 2 * _WIDTH)
        upload = png(SIZE, 16, 0, data, chunk(b"tRNS", struct.pack(">H", key)))
        yield Kind(GROUP, f"PNG, one of 16-bit greys {name}", upload, truth)
    colours = struct.pack(f">{3 * _WIDTH * _HEIGHT}H", *(257 * v for v in CHART.tobytes()))
    key_colour = struct.pack(">3H", *(257 * value for value in COLOURS[7]))
    upload = png(SIZE, 16, 2, rows(colours, 6 * _WIDTH), chunk(b"tRNS", key_colour))
    yield Kind(GROUP, "PNG, one of 16-bit colours clear", upload, _over(CHART, _all_but(7)))


def _all_but(number: int) -> Image.Image:
    alpha = Image.new("L", SIZE, 255)
    left, top = number % 6 * PATCH, number // 6 * PATCH
    alpha.paste(0, (left, top, left + PATCH, top + PATCH))
    return alpha


def _premultiplied() -> Iterator[Kind]:
    """Colours that are dimmed by their alpha already: TIFF's associated alpha."""
    for name, chart in (("RGB", CHART), ("grey", GREY_CHART.convert("L"))):
        dimmed = [ImageChops.multiply(band, VEILS) for band in chart.split()]
        bands = [band.tobytes() for band in (*dimmed, VEILS)]
        data = b"".join(map(bytes, zip(*bands, strict=True)))
        upload = tiff(SIZE, [data], [8] * len(bands), {338: [1]})
        yield Kind(GROUP, f"TIFF, {name} and associated alpha", upload, _over(chart, VEILS))
