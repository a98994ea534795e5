"""Pictures whose samples are not sRGB."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from PIL import Image, ImageCms, ImageOps

from asgilook.codec.colour import Colour
from tests import pictures
from tests.fidelity.chart import CHART, COLOURS, GREY_CHART, GREYS, painted
from tests.fidelity.ciede2000 import Lab
from tests.fidelity.containers import chunk, with_chunks
from tests.fidelity.kind import Kind
from tests.fidelity.orientations import FINE
from tests.fidelity.profiles import grey_profile, matrix_profile, table_profile
from tests.fidelity.spaces import ADOBE_RGB, D50, DISPLAY_P3, SRGB, Space, linear, times

GROUP = "colour"
_GREY_GAMMA = 1.8


def kinds() -> Iterator[Kind]:
    for kind in FINE:
        yield _in_space(kind, "Adobe RGB", ADOBE_RGB)
        yield _in_space(kind, "Display P3", DISPLAY_P3)
    palette = painted([ADOBE_RGB.encode(colour) for colour in COLOURS]).quantize(64)
    yield _kind("PNG, palette, Adobe RGB", palette, "PNG", CHART, matrix_profile(ADOBE_RGB))
    yield from _greys()
    yield from _tables()
    yield from _inks()
    yield from _ignored()
    lab = ImageCms.profileToProfile(
        CHART, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    yield _kind("TIFF, CIE L*a*b*", lab, "TIFF", CHART)


def _kind(
    name: str,
    picture: Image.Image,
    kind: str,
    truth: Image.Image,
    profile: bytes | None = None,
    **options: Any,
) -> Kind:
    upload = pictures.encode(
        picture, kind, icc_profile=profile, **{**FINE.get(kind, {}), **options}
    )
    return Kind(GROUP, name, upload, truth)


def _in_space(kind: str, name: str, space: Space) -> Kind:
    written = painted([space.encode(colour) for colour in COLOURS])
    return _kind(f"{kind}, {name}", written, kind, CHART, matrix_profile(space))


def _greys() -> Iterator[Kind]:
    written = [round(255 * linear(grey / 255) ** (1 / _GREY_GAMMA)) for grey, *_ in GREYS]
    grey = painted([(value, value, value) for value in written], "L")
    profile = grey_profile(_GREY_GAMMA)
    for kind in ("JPEG", "PNG", "TIFF"):
        yield _kind(f"{kind}, grey of gamma {_GREY_GAMMA}", grey, kind, GREY_CHART, profile)
    yield _kind(
        f"PNG, grey and alpha of gamma {_GREY_GAMMA}",
        grey.convert("LA"),
        "PNG",
        GREY_CHART,
        profile,
    )
    deep = grey.convert("I").point(lambda value: value * 257).convert("I;16")
    yield _kind(f"PNG, 16-bit grey of gamma {_GREY_GAMMA}", deep, "PNG", GREY_CHART, profile)


def _tables() -> Iterator[Kind]:
    """Profiles that are tables: each corner of the space is one of the chart's colours."""
    for space, mode, kinds in (
        ("CMYK", "CMYK", ("JPEG", "TIFF")),
        ("RGB ", "RGB", ("PNG", "JPEG")),
    ):
        corners = list(product((0, 255), repeat=len(mode)))
        # Black and white at their places: what lies beyond is stretched (black point compensation).
        ends = [(255, 255, 255), (0, 0, 0)][:: 1 if space == "CMYK" else -1]
        shown = [ends[0], *COLOURS[1 : len(corners) - 1], ends[1]]
        profile = table_profile(space, [_connection_lab(colour) for colour in shown])
        # What is left of the chart is the first corner again.
        rest = len(COLOURS) - len(corners)
        written = painted([*corners, *corners[:1] * rest], mode)
        truth = painted([*shown, *shown[:1] * rest])
        for kind in kinds:
            yield _kind(f"{kind}, {mode} by a table", written, kind, truth, profile)


def _connection_lab(colour: Colour) -> Lab:
    """Give a colour under D50, as profiles speak of it."""
    xyz = times(SRGB.to_xyz(D50), [linear(value / 255) for value in colour])
    ratios = [part / white for part, white in zip(xyz, D50, strict=True)]
    x, y, z = (r ** (1 / 3) if r > 216 / 24389 else (24389 / 27 * r + 16) / 116 for r in ratios)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _inks() -> Iterator[Kind]:
    """Without a profile inks are taken as filters of light, as viewers do."""
    cmyk = CHART.convert("CMYK")
    yield _kind("JPEG, CMYK as Adobe writes it", cmyk, "JPEG", CHART)
    yield _kind("TIFF, CMYK", cmyk, "TIFF", CHART)
    yield Kind(GROUP, "JPEG, YCCK", _ycck(cmyk), CHART)
    yield _kind("JPEG, RGB without a transform", CHART, "JPEG", CHART, keep_rgb=True)


def _ycck(cmyk: Image.Image) -> bytes:
    """Turn the three inks as JPEG turns light, and say so in Adobe's segment."""
    *inks, black = cmyk.split()
    turned = [ImageOps.invert(band) for band in Image.merge("RGB", inks).convert("YCbCr").split()]
    jpeg = pictures.encode(Image.merge("CMYK", [*turned, black]), "JPEG", quality=95)
    place = jpeg.index(b"Adobe") + 11
    return jpeg[:place] + b"\2" + jpeg[place + 1 :]


def _ignored() -> Iterator[Kind]:
    adobe = matrix_profile(ADOBE_RGB)
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        yield _kind(f"{kind}, a profile cut short", CHART, kind, CHART, adobe[:200])
        yield _kind(f"{kind}, a profile for grey", CHART, kind, CHART, grey_profile(_GREY_GAMMA))
    yield _kind(
        "JPEG, grey, a profile for colours", GREY_CHART.convert("L"), "JPEG", GREY_CHART, adobe
    )
    broken = chunk(b"iCCP", b"name\0\7junk")
    yield Kind(
        GROUP,
        "PNG, a profile packed in an unknown way",
        with_chunks(pictures.encode(CHART, "PNG"), broken),
        CHART,
    )
