"""The difference of two colours as the eye has it (CIEDE2000).

Written from Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula", 2005, whose test pairs
`test_ciede2000.py` holds it against.
"""

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

from asgilook.codec.colour import Colour
from tests.fidelity.spaces import D65, SRGB, linear, times

Lab = tuple[float, float, float]


def difference(one: Colour, other: Colour) -> float:
    """Compare two colours in sRGB."""
    return ciede2000(lab(one), lab(other))


def lab(colour: Colour) -> Lab:
    """Give a colour in sRGB as CIE L*a*b*, under its own white."""
    xyz = times(SRGB.to_xyz(D65), [linear(value / 255) for value in colour])
    x, y, z = (_cube_root(part / white) for part, white in zip(xyz, D65, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _cube_root(ratio: float) -> float:
    return ratio ** (1 / 3) if ratio > 216 / 24389 else (24389 / 27 * ratio + 16) / 116


def ciede2000(one: Lab, other: Lab) -> float:
    """Compare two colours in CIE L*a*b*."""
    light = (one[0] + other[0]) / 2
    (chroma_1, hue_1), (chroma_2, hue_2) = _polar(one, other)
    chroma = (chroma_1 + chroma_2) / 2
    turn, hue = _turn(hue_1, hue_2, is_grey=chroma_1 * chroma_2 == 0)
    across = 2 * sqrt(chroma_1 * chroma_2) * sin(radians(turn / 2))
    by_light = (other[0] - one[0]) / (1 + 0.015 * (light - 50) ** 2 / sqrt(20 + (light - 50) ** 2))
    by_chroma = (chroma_2 - chroma_1) / (1 + 0.045 * chroma)
    by_hue = across / (1 + 0.015 * chroma * _weight(hue))
    twist = -sin(radians(60 * exp(-(((hue - 275) / 25) ** 2)))) * 2 * _grade(chroma)
    return sqrt(by_light**2 + by_chroma**2 + by_hue**2 + twist * by_chroma * by_hue)


def _polar(*labs: Lab) -> list[tuple[float, float]]:
    mean = sum(hypot(a, b) for _, a, b in labs) / 2
    stretch = 1 + (1 - _grade(mean)) / 2
    return [(hypot(stretch * a, b), degrees(atan2(b, stretch * a)) % 360) for _, a, b in labs]


def _grade(chroma: float) -> float:
    return sqrt(chroma**7 / (chroma**7 + 25**7))


def _turn(hue_1: float, hue_2: float, *, is_grey: bool) -> tuple[float, float]:
    """Give the turn from one hue to the other, the short way, and the hue between them."""
    if is_grey:
        return 0, hue_1 + hue_2
    turn = (hue_2 - hue_1 + 180) % 360 - 180
    if turn == -180:
        turn = hue_2 - hue_1
    return turn, _between(hue_1, hue_2)


def _between(hue_1: float, hue_2: float) -> float:
    mean = (hue_1 + hue_2) / 2
    if abs(hue_1 - hue_2) <= 180:
        return mean
    return mean + 180 if mean < 180 else mean - 180


def _weight(hue: float) -> float:
    return (
        1
        - 0.17 * cos(radians(hue - 30))
        + 0.24 * cos(radians(2 * hue))
        + 0.32 * cos(radians(3 * hue + 6))
        - 0.20 * cos(radians(4 * hue - 63))
    )
