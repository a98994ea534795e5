"""Pictures of more or fewer bits than eight, and of other orders than the usual."""

import struct
from collections.abc import Iterator, Sequence

from PIL import Image

from tests import pictures
from tests.fidelity.chart import CHART, GREY_CHART, GREYS, PATCH, SIZE, painted
from tests.fidelity.containers import bmp, png, tiff
from tests.fidelity.kind import Kind

GROUP = "depth"
_WIDTH, _HEIGHT = SIZE


def kinds() -> Iterator[Kind]:
    yield from _pngs()
    yield from _grey_tiffs()
    yield from _colour_tiffs()
    yield from _bmps()


def rows(values: bytes, per_row: int) -> list[bytes]:
    return [values[place : place + per_row] for place in range(0, len(values), per_row)]


def _greys(levels: int = 256) -> tuple[list[int], Image.Image]:
    """Give samples of so many levels, and what they look like."""
    samples = [grey * (levels - 1) // 255 for grey in GREY_CHART.convert("L").tobytes()]
    shown = bytes(round(sample * 255 / (levels - 1)) for sample in samples)
    return samples, Image.frombytes("L", SIZE, shown)


def packed(samples: Sequence[int], bits: int) -> bytes:
    """Pack samples of less than eight bits, the first in the highest bits (rows fill bytes)."""
    per_byte = 8 // bits
    groups = (samples[place : place + per_byte] for place in range(0, len(samples), per_byte))
    return bytes(sum(s << (8 - bits * (n + 1)) for n, s in enumerate(group)) for group in groups)


def _pngs() -> Iterator[Kind]:
    for bits in (1, 2, 4):
        samples, truth = _greys(1 << bits)
        upload = png(SIZE, bits, 0, rows(packed(samples, bits), _WIDTH * bits // 8))
        yield Kind(GROUP, f"PNG, {bits}-bit grey", upload, truth)
    deep = _deep(GREY_CHART.convert("L"), ">")
    yield Kind(GROUP, "PNG, 16-bit grey", png(SIZE, 16, 0, rows(deep, 2 * _WIDTH)), GREY_CHART)
    for mode, number in (("LA", 4), ("RGB", 2), ("RGBA", 6)):
        picture = CHART.convert(mode)
        upload = png(SIZE, 16, number, rows(_deep(picture, ">"), 2 * len(mode) * _WIDTH))
        yield Kind(GROUP, f"PNG, 16-bit {mode}", upload, picture.convert("RGB"))
    for colours in (2, 4, 16, 256):
        palette = CHART.quantize(colours, dither=Image.Dither.NONE)
        upload = pictures.encode(palette, "PNG")
        yield Kind(GROUP, f"PNG, palette of {colours}", upload, palette.convert("RGB"))


def _deep(picture: Image.Image, order: str) -> bytes:
    data = picture.tobytes()
    return struct.pack(f"{order}{len(data)}H", *(value * 257 for value in data))


def _grey_tiffs() -> Iterator[Kind]:
    grey = GREY_CHART.convert("L")
    for order, name in (("<", "little"), (">", "big")):
        for tags, white in ((None, ""), ({262: [0]}, ", white at zero")):
            values = grey if tags is None else grey.point(lambda value: 255 - value)
            if order == "<" or tags is None:
                deep = tiff(SIZE, [_deep(values, order)], [16], tags, order)
                yield Kind(GROUP, f"TIFF, 16-bit grey, {name}-endian{white}", deep, GREY_CHART)
    inverted = grey.point(lambda value: 255 - value).tobytes()
    yield Kind(
        GROUP,
        "TIFF, 8-bit grey, white at zero",
        tiff(SIZE, [inverted], [8], {262: [0]}),
        GREY_CHART,
    )
    twelve = [value * 4095 // 255 for value in grey.tobytes()]
    pairs = zip(twelve[::2], twelve[1::2], strict=True)
    data = b"".join((one << 12 | other).to_bytes(3) for one, other in pairs)
    yield Kind(GROUP, "TIFF, 12-bit grey", tiff(SIZE, [data], [12]), GREY_CHART)
    whole = struct.pack(f"<{len(grey.tobytes())}i", *(value * 257 for value in grey.tobytes()))
    yield Kind(
        GROUP, "TIFF, 32-bit whole numbers", tiff(SIZE, [whole], [32], {339: [2]}), GREY_CHART
    )
    broken = struct.pack(f"<{len(grey.tobytes())}f", *(value / 255 for value in grey.tobytes()))
    yield Kind(
        GROUP,
        "TIFF, floating point from 0 to 1",
        tiff(SIZE, [broken], [32], {339: [3]}),
        GREY_CHART,
    )
    samples, truth = _greys(2)
    for zero in (0, 1):
        bits = packed([sample ^ zero ^ 1 for sample in samples], 1)
        yield Kind(
            GROUP,
            f"TIFF, 1 bit, {'black' if zero else 'white'} at zero",
            tiff(SIZE, [bits], [1], {262: [zero]}),
            truth,
        )


def _colour_tiffs() -> Iterator[Kind]:
    for order, name in (("<", "little"), (">", "big")):
        upload = tiff(SIZE, [_deep(CHART, order)], [16] * 3, None, order)
        yield Kind(GROUP, f"TIFF, 16-bit RGB, {name}-endian", upload, CHART)
    planes = [band.tobytes() for band in CHART.split()]
    yield Kind(
        GROUP, "TIFF, a plane for each colour", tiff(SIZE, planes, [8] * 3, {284: [2]}), CHART
    )
    tiles = [
        CHART.crop((x, y, x + 80, y + 80)).tobytes()
        for y in range(0, _HEIGHT, 2 * PATCH)
        for x in range(0, _WIDTH, 2 * PATCH)
    ]
    yield Kind(GROUP, "TIFF, in tiles", tiff(SIZE, tiles, [8] * 3, {322: [80], 323: [80]}), CHART)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        upload = pictures.encode(CHART, "TIFF", compression=compression)
        yield Kind(GROUP, f"TIFF, {compression.removeprefix('tiff_')}", upload, CHART)
    upload = pictures.encode(CHART, "TIFF", compression="jpeg", quality=95)
    yield Kind(GROUP, "TIFF, jpeg", upload, CHART)
    palette = CHART.quantize(64, dither=Image.Dither.NONE)
    yield Kind(GROUP, "TIFF, palette", pictures.encode(palette, "TIFF"), CHART)


def _bmps() -> Iterator[Kind]:
    for mode in ("1", "L", "P", "RGB"):
        picture = CHART.quantize(64) if mode == "P" else CHART.convert(mode)
        yield Kind(GROUP, f"BMP, {mode}", pictures.encode(picture, "BMP"), picture.convert("RGB"))
    blue, green, red = CHART.getchannel("B"), CHART.getchannel("G"), CHART.getchannel("R")
    swapped = Image.merge("RGB", (blue, green, red))
    yield Kind(
        GROUP,
        "BMP, 24-bit, from the top down",
        bmp(SIZE, 24, swapped.tobytes(), is_top_down=True),
        CHART,
    )
    wide = Image.merge("RGBA", (blue, green, red, Image.new("L", SIZE)))
    yield Kind(
        GROUP,
        "BMP, 32-bit, the fourth byte unused",
        bmp(SIZE, 32, wide.tobytes(), is_top_down=True),
        CHART,
    )
    thin = [
        struct.pack("<H", (r >> 3) << 11 | (g >> 2) << 5 | b >> 3)
        for r, g, b in zip(red.tobytes(), green.tobytes(), blue.tobytes(), strict=True)
    ]
    masks = (0xF800, 0x07E0, 0x001F)
    upload = bmp(SIZE, 16, b"".join(thin), compression=3, masks=masks, is_top_down=True)
    yield Kind(GROUP, "BMP, 16-bit, 5-6-5", upload, CHART)
    palette = b"".join(bytes((grey, grey, grey, 0)) for grey, *_ in GREYS)
    runs = b"".join(
        b"".join(bytes((PATCH, 6 * (y // PATCH) + x)) for x in range(6)) + b"\0\0"
        for y in reversed(range(_HEIGHT))
    )
    upload = bmp(SIZE, 8, runs + b"\0\1", compression=1, palette=palette)
    yield Kind(GROUP, "BMP, 8-bit, run lengths", upload, painted(GREYS))
