"""Thumbnails off the ladder: how their options are spelled, and what sizes come out."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from asgilook.codec import render_variant
from asgilook.image import Format, Size
from asgilook.variant import MAX_SIDE, Fit, Options, Variant
from tests import pictures

SPELLED = {
    "contain": Options(),
    "cover": Options(Fit.COVER),
    "contain,q1": Options(quality=1),
    "cover,q100": Options(Fit.COVER, quality=100),
    "contain,x2": Options(pixel_ratio=2),
    "contain,x3": Options(pixel_ratio=3),
    "contain,e1000000000": Options(expires_s=1_000_000_000),
    "cover,q80,x2,e9999999999": Options(Fit.COVER, 80, 2, 9_999_999_999),
}
MISSPELLED = (
    "",
    "fill",
    "CONTAIN",
    "Contain",
    "contain,",
    ",contain",
    "contain cover",
    "contain,q0",
    "contain,q01",
    "contain,q101",
    "contain,q+1",
    "contain,q1_0",
    "contain,q٣",
    "contain,Q80",
    "contain,x0",
    "contain,x1",
    "contain,x4",
    "contain,x02",
    "contain,e999999999",
    "contain,e0999999999",
    "contain,e10000000000",
    "contain,x2,q80",
    "contain,e1000000000,q80",
    "contain,q80,q80",
    "contain, q80",
    "contain,q80\n",
    "contain;q80",
)

options = st.builds(
    Options,
    st.sampled_from(Fit),
    st.none() | st.integers(1, 100),
    st.integers(1, 3),
    st.none() | st.integers(1_000_000_000, 9_999_999_999),
)
sides = st.integers(1, 2 * MAX_SIDE)
small_sides = st.integers(1, 96)


@pytest.mark.parametrize("text", SPELLED)
def test_options_are_read_in_their_canonical_spelling(text: str) -> None:
    assert Options.parse(text) == SPELLED[text]


@pytest.mark.parametrize("text", MISSPELLED)
def test_options_in_any_other_spelling_are_none(text: str) -> None:
    assert Options.parse(text) is None


@given(options)
def test_options_are_read_as_they_are_spelled(one: Options) -> None:
    assert Options.parse(str(one)) == one


@given(st.text(string.ascii_lowercase + string.digits + ",") | options.map(str))
def test_there_is_one_spelling_for_each_options(text: str) -> None:
    read = Options.parse(text)
    assert read is None or str(read) == text


@given(sides, sides, options)
def test_a_box_has_the_pixels_of_the_display_up_to_a_limit(
    width: int, height: int, one: Options
) -> None:
    pixels = Size(width * one.pixel_ratio, height * one.pixel_ratio)
    variant = Variant.of(Size(width, height), Format.WEBP, one)
    if max(pixels) > MAX_SIDE:
        assert variant is None
    else:
        assert variant == Variant(pixels, Format.WEBP, one.fit, one.quality)


@given(st.integers(1, 4000), st.integers(1, 4000), options, options)
def test_variants_share_a_name_only_if_they_are_the_same(
    width: int, height: int, one: Options, other: Options
) -> None:
    box = Size(width, height)
    first, second = (Variant.of(box, Format.JPEG, each) for each in (one, other))
    if first and second:
        assert (first.name == second.name) == (first == second)


def test_neither_expiry_nor_the_way_to_a_box_makes_another_variant() -> None:
    twice = Variant.of(Size(100, 50), Format.JPEG, Options(pixel_ratio=2, expires_s=1_999_999_999))
    assert twice == Variant.of(Size(200, 100), Format.JPEG, Options())


@settings(deadline=None)
@given(small_sides, small_sides, small_sides, small_sides)
def test_contain_gives_all_of_the_picture_within_the_box(
    width: int, height: int, box_width: int, box_height: int
) -> None:
    made = _made(Size(width, height), Size(box_width, box_height), Fit.CONTAIN)
    assert made.width <= min(width, box_width)
    assert made.height <= min(height, box_height)
    # It is as large as it may be, and of the picture's proportions but for rounding.
    scale = min(1, box_width / width, box_height / height)
    assert abs(made.width - width * scale) <= 1
    assert abs(made.height - height * scale) <= 1


@settings(deadline=None)
@given(small_sides, small_sides, small_sides, small_sides)
def test_cover_gives_the_box_or_its_proportions_where_the_picture_is_smaller(
    width: int, height: int, box_width: int, box_height: int
) -> None:
    made = _made(Size(width, height), Size(box_width, box_height), Fit.COVER)
    shrink = max(1, box_width / width, box_height / height)
    assert made.width <= min(width, box_width)
    assert made.height <= min(height, box_height)
    assert abs(made.width - box_width / shrink) <= 1
    assert abs(made.height - box_height / shrink) <= 1


@pytest.mark.parametrize("full", [Size(300, 100), Size(17, 1020), Size(33, 999), Size(999, 33)])
def test_cover_cuts_the_middle_out(full: Size) -> None:
    picture = Image.new("RGB", full, "red")
    left, upper = (side // 2 - min(full) for side in full)
    picture.paste("lime", (left, upper, full.width - left, full.height - upper))
    jpeg = pictures.encode(picture, quality=95, subsampling=0)
    made = render_variant(jpeg, Variant(Size(2, 2), Format.JPEG, Fit.COVER, 95), 80)
    lime = Image.new("RGB", (2, 2), "lime")
    differences = ImageStat.Stat(ImageChops.difference(pictures.decode(made), lime))
    assert max(most for _, most in differences.extrema) <= 8


def _made(full: Size, box: Size, fit: Fit) -> Size:
    jpeg = pictures.encode(pictures.photograph(full))
    made = render_variant(jpeg, Variant(box, Format.JPEG, fit, None), 80)
    return Size(*pictures.decode(made).size)
