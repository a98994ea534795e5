"""ThumbHash: a blurred preview in some 25 bytes (https://evanw.github.io/thumbhash/).

Written from the format's published description, for opaque pictures: ours have no transparency.
"""

import math
from collections.abc import Sequence
from operator import mul

from PIL import Image

_SIDE = 32
"""The picture is shrunk to this first: the hash keeps at most 7 waves a side anyway."""

_Plane = list[list[float]]


def thumbhash(picture: Image.Image) -> bytes:
    """Hash an L or RGB picture."""
    scale = _SIDE / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    small = picture.resize((width, height), Image.Resampling.BOX).convert("RGB")
    light, yellow, red = _planes(small)
    longest = max(width, height)
    waves_x = max(1, round(7 * width / longest))
    waves_y = max(1, round(7 * height / longest))
    l_dc, l_ac, l_scale = _channel(light, max(3, waves_x), max(3, waves_y))
    p_dc, p_ac, p_scale = _channel(yellow, 3, 3)
    q_dc, q_ac, q_scale = _channel(red, 3, 3)
    head = (
        round(63 * l_dc)
        | round(31.5 + 31.5 * p_dc) << 6
        | round(31.5 + 31.5 * q_dc) << 12
        | round(31 * l_scale) << 18
    )
    is_landscape = width > height
    tail = (
        (waves_y if is_landscape else waves_x)
        | round(63 * p_scale) << 3
        | round(63 * q_scale) << 9
        | is_landscape << 15
    )
    return head.to_bytes(3, "little") + tail.to_bytes(2, "little") + _nibbles(l_ac + p_ac + q_ac)


def _planes(small: Image.Image) -> tuple[_Plane, _Plane, _Plane]:
    """Split into lightness, yellow-blue and red-green, each from 0 or -1 to 1."""
    width, height = small.size
    flat = small.tobytes()
    planes: tuple[_Plane, _Plane, _Plane] = ([], [], [])
    for y in range(height):
        row = flat[3 * width * y : 3 * width * (y + 1)]
        reds, greens, blues = ([value / 255 for value in row[i::3]] for i in range(3))
        pixels = list(zip(reds, greens, blues, strict=True))
        planes[0].append([(r + g + b) / 3 for r, g, b in pixels])
        planes[1].append([(r + g) / 2 - b for r, g, b in pixels])
        planes[2].append([r - g for r, g, b in pixels])
    return planes


def _channel(plane: _Plane, waves_x: int, waves_y: int) -> tuple[float, list[float], float]:
    """Give a plane's mean, its lowest waves scaled to 0..1, and the scale."""
    columns = zip(*_transformed(plane, waves_x), strict=True)
    waves = _transformed(list(columns), waves_y)
    kept = [
        waves[x][y]
        for y in range(waves_y)
        for x in range(waves_x)
        if (x or y) and x * waves_y < waves_x * (waves_y - y)
    ]
    scale = max(map(abs, kept), default=0.0)
    return waves[0][0], [0.5 + 0.5 / scale * wave if scale else 0.0 for wave in kept], scale


def _transformed(rows: Sequence[Sequence[float]], count: int) -> _Plane:
    """Give the lowest waves of each row."""
    length = len(rows[0])
    waves = [
        [math.cos(math.pi / length * k * (i + 0.5)) for i in range(length)] for k in range(count)
    ]
    return [[sum(map(mul, row, wave)) / length for wave in waves] for row in rows]


def _nibbles(parts: list[float]) -> bytes:
    halves = [round(15 * part) for part in parts]
    halves += [0] * (len(halves) % 2)
    return bytes(low | high << 4 for low, high in zip(halves[::2], halves[1::2], strict=True))
