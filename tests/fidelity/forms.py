"""Pictures of every shape, in every order of their pixels, alone and with others behind them."""

import struct
from collections.abc import Iterator
from typing import Any

from PIL import Image

from tests import pictures
from tests.fidelity.chart import CHART, PATCH, SIZE
from tests.fidelity.containers import interlaced_png
from tests.fidelity.kind import Kind
from tests.fidelity.orientations import FINE
from tests.fidelity.transparency import BACKGROUND

SHAPES = [(1, 1), (63, 65), (257, 511), (1, 5000), (5000, 1), (20_000, 1000)]


def kinds() -> Iterator[Kind]:
    for shape in SHAPES:
        picture = CHART.resize(shape, Image.Resampling.BOX)
        name = f"PNG, {shape[0]} x {shape[1]}"
        yield Kind("shape", name, pictures.encode(picture, "PNG", compress_level=1), picture)
    yield from _orders()
    yield from _frames()
    yield from _small_first_frames()


def _orders() -> Iterator[Kind]:
    ways: dict[str, dict[str, Any]] = {
        "baseline": {},
        "progressive": {"progressive": True},
        "4:2:0": {"subsampling": "4:2:0"},
        "4:2:2": {"subsampling": "4:2:2"},
        "restart markers": {"restart_marker_blocks": 4},
    }
    for name, options in ways.items():
        upload = pictures.encode(CHART, "JPEG", **{**FINE["JPEG"], **options})
        yield Kind("order", f"JPEG, {name}", upload, CHART)
    yield Kind("order", "PNG, interlaced", interlaced_png(SIZE, CHART.tobytes()), CHART)
    palette = CHART.quantize(64)
    for is_interlaced in (0, 1):
        upload = pictures.encode(palette, "GIF", interlace=is_interlaced)
        yield Kind("order", f"GIF{', interlaced' * is_interlaced}", upload, CHART)
    yield Kind("order", "WEBP, lossy", pictures.encode(CHART, "WEBP", quality=95), CHART)
    upload = pictures.encode(CHART, "WEBP", lossless=True)
    yield Kind("order", "WEBP, lossless", upload, CHART)


def _frames() -> Iterator[Kind]:
    """Only the first one counts."""
    other = CHART.transpose(Image.Transpose.ROTATE_180)
    for kind in ("GIF", "WEBP", "PNG", "AVIF", "TIFF", "MPO", "HEIF"):
        options = {**FINE.get(kind, FINE["JPEG"] if kind == "MPO" else {}), "save_all": True}
        upload = pictures.encode(CHART, kind, append_images=[other], **options)
        yield Kind("frames", f"{kind}, two pictures", upload, CHART)


def _small_first_frames() -> Iterator[Kind]:
    """Around a frame that does not fill the screen there is nothing (as every browser has it)."""
    frame = CHART.crop((0, 0, 2 * PATCH, 2 * PATCH))
    truth = Image.new("RGB", SIZE, BACKGROUND)
    truth.paste(frame, (PATCH, PATCH))
    ways: dict[str, dict[str, Any]] = {"": {}, ", clear colour": {"transparency": 63}}
    for name, options in ways.items():
        gif = bytearray(pictures.encode(frame.quantize(64), "GIF", **options))
        gif[6:10] = struct.pack("<2H", *SIZE)
        place = gif.index(struct.pack("<B4H", 0x2C, 0, 0, *frame.size))
        gif[place + 1 : place + 5] = struct.pack("<2H", PATCH, PATCH)
        yield Kind("frames", f"GIF, the first smaller than the screen{name}", bytes(gif), truth)
