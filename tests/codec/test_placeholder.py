"""A placeholder unfolds to a blurred preview of its picture, by the format's own rules."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from asgilook.codec.placeholder import thumbhash
from tests import pictures


class Head(NamedTuple):
    """The fixed part of a ThumbHash (https://evanw.github.io/thumbhash/)."""

    light: float
    yellow: float
    red: float
    light_scale: float
    is_landscape: bool
    waves_x: int
    waves_y: int


def head(thumbhash: bytes) -> Head:
    low, high = int.from_bytes(thumbhash[:3], "little"), int.from_bytes(thumbhash[3:5], "little")
    is_landscape, waves = bool(high >> 15), high & 7
    return Head(
        (low & 63) / 63,
        (low >> 6 & 63) / 31.5 - 1,
        (low >> 12 & 63) / 31.5 - 1,
        (low >> 18 & 31) / 31,
        is_landscape,
        7 if is_landscape else max(3, waves),
        max(3, waves) if is_landscape else 7,
    )


def average(thumbhash: bytes) -> tuple[float, ...]:
    """Unfold the average colour, as red, green and blue from 0 to 1."""
    about = head(thumbhash)
    blue = about.light - 2 / 3 * about.yellow
    red = (3 * about.light - blue + about.red) / 2
    return red, red - about.red, blue


def lightness(thumbhash: bytes, x: float, y: float) -> float:
    """Unfold the lightness at a place, given in shares of the sides."""
    about = head(thumbhash)
    nibbles = (half for byte in thumbhash[5:] for half in (byte & 15, byte >> 4))
    return about.light + 2 * sum(
        (nibble / 7.5 - 1) * about.light_scale * wave(x, i) * wave(y, j)
        for nibble, (i, j) in zip(nibbles, waves(about.waves_x, about.waves_y), strict=False)
    )


def waves(count_x: int, count_y: int) -> Iterator[tuple[int, int]]:
    for j in range(count_y):
        for i in range(count_x):
            if (i or j) and i * count_y < count_x * (count_y - j):
                yield i, j


def wave(place: float, number: int) -> float:
    return math.cos(math.pi * number * place)


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.integers(0, 255)] * 3), st.tuples(*[st.integers(1, 200)] * 2))
def test_the_average_colour_unfolds_again(
    colour: tuple[int, int, int], size: tuple[int, int]
) -> None:
    unfolded = average(thumbhash(Image.new("RGB", size, colour)))
    assert unfolded == pytest.approx([value / 255 for value in colour], abs=0.05)


def test_a_photographs_average_colour_unfolds_again() -> None:
    photograph = pictures.photograph((300, 200))
    pixel = photograph.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    assert average(thumbhash(photograph)) == pytest.approx([v / 255 for v in pixel], abs=0.05)


@pytest.mark.parametrize("size", [(200, 200), (300, 100), (100, 300), (90, 80)], ids=str)
@pytest.mark.parametrize("lit", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_what_is_light_unfolds_at_its_place(size: tuple[int, int], lit: tuple[int, int]) -> None:
    width, height = size[0] // 2, size[1] // 2
    picture = Image.new("L", size, 40)
    left, upper = lit[0] * width, lit[1] * height
    picture.paste(220, (left, upper, left + width, upper + height))
    folded = thumbhash(picture)
    light = {(x, y): lightness(folded, 0.25 + x / 2, 0.25 + y / 2) for x in (0, 1) for y in (0, 1)}
    assert max(light, key=lambda quarter: light[quarter]) == lit


@pytest.mark.parametrize(
    ("size", "is_landscape", "waves_x", "waves_y"),
    [((300, 300), False, 7, 7), ((300, 150), True, 7, 4), ((150, 300), False, 4, 7)],
    ids=str,
)
def test_the_proportions_of_the_picture_are_told(
    size: tuple[int, int], *, is_landscape: bool, waves_x: int, waves_y: int
) -> None:
    about = head(thumbhash(pictures.photograph(size)))
    assert (about.is_landscape, about.waves_x, about.waves_y) == (is_landscape, waves_x, waves_y)


@given(st.tuples(*[st.integers(1, 200)] * 2))
@settings(max_examples=40, deadline=None)
def test_a_placeholder_is_short_and_always_the_same(size: tuple[int, int]) -> None:
    photograph = pictures.photograph(size)
    assert thumbhash(photograph) == thumbhash(photograph.copy())
    assert len(thumbhash(photograph)) <= 25
