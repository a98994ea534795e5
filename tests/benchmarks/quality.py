"""How like a careful reference our thumbnails are, beside those of libvips; and encoders' settings.

The reference is the whole original, resampled by Lanczos and not encoded; likeness is the SSIM of
luma (Wang et al. 2004), by scikit-image.
"""

import io
import os
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
import pyvips
from PIL import Image
from skimage.metrics import structural_similarity

from asgilook.codec import render
from asgilook.image import Format, Size, ladder
from tests.benchmarks import photographs
from tests.benchmarks.bench import Bench, progress
from tests.benchmarks.report import Row, markdown

QUALITY = 80
FLOOR = 0.005
EVEN = 1.01
"""No more bytes, but for the last percent."""
RUNGS = ladder(photographs.SIZE, 64)
LUMA = (0.299, 0.587, 0.114)
_SETTINGS: dict[str, dict[str, Any]] = {
    "JPEG": {},
    "JPEG, optimize": {"optimize": True},
    "JPEG, progressive": {"progressive": True},
    "JPEG, 4:2:2": {"subsampling": 1},
    "JPEG, 4:4:4": {"subsampling": 0},
    **{f"WEBP, method {number}": {"method": number} for number in range(7)},
    **{f"AVIF, speed {number}": {"speed": number, "max_threads": 1} for number in (6, 7, 8, 9, 10)},
    **{
        f"AVIF, quality {quality}, speed 9": {"speed": 9, "max_threads": 1, "quality": quality}
        for quality in (60, 65, 70, 75)
    },
}


class Made(NamedTuple):
    """A thumbnail: how like the reference, how long, and what it took to encode."""

    likeness: float
    kilobytes: float
    cpu_ms: float = 0


def measure(bench: Bench) -> Iterator[Row | str]:
    """Compare our thumbnails with libvips's, and settings of the encoders with each other."""
    yield _beside_libvips()
    yield _of_settings()


def _beside_libvips() -> str:
    lines: list[tuple[str, ...]] = [
        ("thumbnail", "ours", "libvips", "SSIM", "bytes", f"within {FLOOR}, no more bytes")
    ]
    for kind in _VIPS:
        ours = _means(partial(render, sizes=RUNGS, kind=kind, quality=QUALITY))
        theirs = _means(partial(_by_vips, kind))
        for size in RUNGS:
            our, their = ours[size], theirs[size]
            gap, share = our.likeness - their.likeness, our.kilobytes / their.kilobytes
            is_kept = gap >= -FLOOR and share <= EVEN
            cells = [f"{made.likeness:.4f}, {made.kilobytes:.1f} KB" for made in (our, their)]
            verdict = "yes" if is_kept else "**NO**"
            lines.append((f"{kind} {size}", *cells, f"{gap:+.4f}", f"{share:.3f}", verdict))
    return f"Likeness (SSIM) at quality {QUALITY}:\n\n{markdown(lines)}"


def _by_vips(kind: Format, jpeg: bytes) -> dict[Size, bytes]:
    thumbnail = pyvips.Image.thumbnail_buffer
    return {
        size: _VIPS[kind](thumbnail(jpeg, size.width, height=size.height, size="force"))
        for size in RUNGS
    }


_VIPS: dict[Format, Callable[[Any], bytes]] = {
    Format.JPEG: lambda made: bytes(made.jpegsave_buffer(Q=QUALITY, keep="none")),
    Format.WEBP: lambda made: bytes(made.webpsave_buffer(Q=QUALITY, keep="none")),
}


def _means(make: Callable[[bytes], Mapping[Size, bytes]]) -> dict[Size, Made]:
    """Make the ladders of all photographs, and take the means."""
    made = [(_references(jpeg), make(jpeg)) for jpeg in _originals()]
    return {
        size: Made(
            mean(_likeness(references[size], _open(bodies[size])) for references, bodies in made),
            mean(len(bodies[size]) / 1000 for _, bodies in made),
        )
        for size in RUNGS
    }


def _of_settings() -> str:
    sizes = RUNGS[:3]
    lines: list[tuple[str, ...]] = [("setting", *map(str, sizes))]
    with progress(range(len(_SETTINGS)), "encoders") as bar:
        for _, (name, options) in zip(bar, _SETTINGS.items(), strict=True):
            kind = name.split(",")[0]
            cells = [
                _tried(size, {"format": kind, "quality": QUALITY, **options}) for size in sizes
            ]
            spelled = [f"{m.cpu_ms:.1f} ms, {m.kilobytes:.1f} KB, {m.likeness:.4f}" for m in cells]
            lines.append((name, *spelled))
    return f"Encoders, one thread, quality {QUALITY} unless named:\n\n{markdown(lines)}"


def _tried(size: Size, options: Mapping[str, Any]) -> Made:
    """Encode one rung of half the photographs."""
    made = []
    for jpeg in _originals()[::2]:
        reference = _references(jpeg)[size]
        picture = Image.fromarray(reference)
        made.append(_encoded(picture, options, reference))
    return Made(*(mean(numbers) for numbers in zip(*made, strict=True)))


def _encoded(picture: Image.Image, options: Mapping[str, Any], reference: Any) -> Made:
    # Into a real file, as the service does it.
    with os.fdopen(os.memfd_create("bench"), "w+b") as file:
        before_s = time.thread_time()
        picture.save(file, **options)
        spent_s = time.thread_time() - before_s
        file.seek(0)
        body = file.read()
    return Made(_likeness(reference, _open(body)), len(body) / 1000, 1000 * spent_s)


@cache
def _originals() -> list[bytes]:
    """Give the photographs as the service keeps them."""
    kept = (
        photographs.converted(upload, "PNG", {"compress_level": 0})
        for upload in photographs.uploads()
    )
    return [photographs.converted(png, "JPEG", {"quality": 90}) for png in kept]


@cache
def _references(jpeg: bytes) -> dict[Size, Any]:
    with Image.open(io.BytesIO(jpeg)) as picture:
        return {size: np.asarray(picture.resize(size, Image.Resampling.LANCZOS)) for size in RUNGS}


def _open(body: bytes) -> Any:
    with Image.open(io.BytesIO(body)) as picture:
        return np.asarray(picture.convert("RGB"))


def _likeness(reference: Any, made: Any) -> float:
    luma = [pixels.astype("float32") @ np.array(LUMA, "float32") for pixels in (reference, made)]
    return float(structural_similarity(*luma, data_range=255))
