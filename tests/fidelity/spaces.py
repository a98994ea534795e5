"""Spaces of colour by their primaries and their curve, worked out from the definitions.

So that the truth of a picture with a profile does not come from the library that is judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Vector = Sequence[float]
Matrix = Sequence[Vector]

D65 = (0.95047, 1.0, 1.08883)
D50 = (0.9642, 1.0, 0.8249)
"""Of the profile connection space (ICC.1:2022, section 6.3)."""

_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def times(matrix: Matrix, vector: Vector) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def product(one: Matrix, other: Matrix) -> Matrix:
    return [
        [
            sum(a * b for a, b in zip(row, column, strict=True))
            for column in zip(*other, strict=True)
        ]
        for row in one
    ]


def inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    size = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    return [[value / size for value in row] for row in cofactors]


def adapted(source: Vector, target: Vector) -> Matrix:
    """Take colours from under one white to under another (Bradford)."""
    ratios = [
        b / a for a, b in zip(times(_BRADFORD, source), times(_BRADFORD, target), strict=True)
    ]
    scaled = [
        [ratio * value for value in row] for ratio, row in zip(ratios, _BRADFORD, strict=True)
    ]
    return product(inverse(_BRADFORD), scaled)


_TOE = 0.04045


def linear(value: float) -> float:
    """Undo the curve of sRGB (IEC 61966-2-1)."""
    return value / 12.92 if value <= _TOE else ((value + 0.055) / 1.055) ** 2.4


@dataclass(frozen=True)
class Space:
    """Red, green and blue as chromaticities x and y, under D65, and a plain power for a curve."""

    primaries: tuple[tuple[float, float], ...]
    gamma: float

    def to_xyz(self, white: Vector) -> Matrix:
        """Give the matrix from linear values to XYZ under a white."""
        columns = [(x / y, 1, (1 - x - y) / y) for x, y in self.primaries]
        matrix = [list(row) for row in zip(*columns, strict=True)]
        scales = times(inverse(matrix), D65)
        scaled = [[a * b for a, b in zip(row, scales, strict=True)] for row in matrix]
        return product(adapted(D65, white), scaled)

    def encode(self, colour: Vector) -> tuple[int, int, int]:
        """Give a colour of sRGB as it is written in this space."""
        xyz = times(SRGB.to_xyz(D50), [linear(value / 255) for value in colour])
        mixed = times(inverse(self.to_xyz(D50)), xyz)
        red, green, blue = (round(255 * max(0, value) ** (1 / self.gamma)) for value in mixed)
        return red, green, blue


SRGB = Space(((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), 2.2)
"""Its curve is `linear`, and no power."""

ADOBE_RGB = Space(((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), 563 / 256)
DISPLAY_P3 = Space(((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), 2.2)
