"""From whatever a file holds to colours that every screen shows alike."""

from dataclasses import replace

import pytest
from PIL import Image

from tests import pictures
from tests.codec.likeness import OPTIONS, WHITE, colour_at, difference, ingested, is_near

RED, GREEN, BLUE, DUSK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (10, 20, 120)
STICKER = pictures.sticker()


def shown(upload: bytes, background: tuple[int, int, int] = WHITE) -> Image.Image:
    return pictures.decode(ingested(upload, replace(OPTIONS, background=background)).jpeg)


def keyed() -> bytes:
    """Make a PNG whose one colour green is to be seen through."""
    return pictures.encode(STICKER.convert("RGB"), "PNG", transparency=GREEN)


STICKERS = {
    "PNG": pictures.encode(STICKER, "PNG"),
    "WebP": pictures.encode(STICKER, "WEBP", lossless=True, exact=True),
    "AVIF": pictures.encode(STICKER, "AVIF"),
    "TIFF": pictures.encode(STICKER, "TIFF"),
    "GIF": pictures.encode(STICKER, "GIF"),
    "PNG with a palette": pictures.encode(STICKER.quantize(), "PNG"),
    "PNG with a key colour": keyed(),
}


@pytest.mark.parametrize("background", [WHITE, DUSK], ids=["white", "dusk"])
@pytest.mark.parametrize("upload", STICKERS.values(), ids=STICKERS.keys())
def test_the_background_shows_where_a_picture_is_clear(
    upload: bytes, background: tuple[int, int, int]
) -> None:
    picture = shown(upload, background)
    assert is_near(colour_at(picture, 0.25), RED)
    assert is_near(colour_at(picture, 0.75), background)


def test_the_background_shines_through_what_is_half_clear() -> None:
    veil = pictures.encode(Image.new("RGBA", (64, 64), (255, 0, 0, 128)), "PNG")
    assert is_near(colour_at(shown(veil, BLUE), 0.5), (128, 0, 127))


@pytest.mark.parametrize("mode", ["P", "L"])
def test_the_background_shows_around_a_picture_that_does_not_fill_its_screen(mode: str) -> None:
    inside = Image.new("RGB", (64, 64), WHITE).convert(mode)
    picture = shown(pictures.on_a_screen(inside, 32), DUSK)
    framed = Image.new("RGB", (128, 128), DUSK)
    framed.paste(WHITE, (32, 32, 96, 96))
    assert difference(picture, framed) < 2


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_may_be_clear_too(kind: str) -> None:
    grey = Image.new("LA", (64, 64), (100, 255))
    grey.paste((0, 0), (32, 0, 64, 64))
    picture = shown(pictures.encode(grey, kind), DUSK)
    assert is_near(colour_at(picture, 0.25), (100, 100, 100))
    assert is_near(colour_at(picture, 0.75), DUSK)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_sixteen_bits_of_grey_become_eight_and_not_white(kind: str, mode: str) -> None:
    ramp = pictures.deep_ramp()
    upload = pictures.encode(ramp if mode == "I;16" else swapped(ramp), kind)
    greys = [colour_at(shown(upload), share) for share in (0, 0.25, 0.5, 0.75, 0.999)]
    for grey, value in zip(greys, (0, 64, 128, 191, 255), strict=True):
        assert is_near(grey, (value, value, value))


def swapped(ramp: Image.Image) -> Image.Image:
    """Lay the same values down with the high byte first."""
    data = bytearray(ramp.tobytes())
    data[::2], data[1::2] = data[1::2], data[::2]
    return Image.frombytes("I;16B", ramp.size, bytes(data))


def test_grey_in_floating_point_spans_from_black_to_white() -> None:
    ramp = Image.linear_gradient("L").rotate(90).convert("F").point(lambda value: value * 40 - 900)
    picture = shown(pictures.encode(ramp, "TIFF"))
    assert is_near(colour_at(picture, 0), (0, 0, 0))
    assert is_near(colour_at(picture, 0.5), (128, 128, 128))
    assert is_near(colour_at(picture, 0.999), (255, 255, 255))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("inks", "colour"),
    [
        ((0, 0, 0, 0), WHITE),
        ((0, 255, 255, 0), RED),
        ((255, 255, 0, 0), BLUE),
        ((0, 0, 0, 255), (0, 0, 0)),
    ],
)
def test_inks_become_light(
    kind: str, inks: tuple[int, int, int, int], colour: tuple[int, int, int]
) -> None:
    print_ = pictures.encode(Image.new("CMYK", (64, 64), inks), kind)
    assert is_near(colour_at(shown(print_), 0.5), colour)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP"])
def test_pictures_of_few_colours_keep_them(kind: str) -> None:
    photograph = pictures.photograph((200, 100))
    for few in (photograph.quantize(16, dither=Image.Dither.NONE), photograph.convert("1")):
        assert difference(shown(pictures.encode(few, kind)), few) < 12


@pytest.mark.parametrize("mode", ["1", "L"])
def test_what_is_grey_is_kept_as_grey(mode: str) -> None:
    picture = pictures.photograph((200, 100)).convert(mode)
    assert shown(pictures.encode(picture, "PNG")).mode == "L"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_colours_are_shown_by_the_profile_that_comes_with_them(kind: str) -> None:
    red = Image.new("RGB", (64, 64), RED)
    upload = pictures.encode(red, kind, icc_profile=pictures.swapped_profile())
    assert is_near(colour_at(shown(upload), 0.5), GREEN)


def test_a_profile_counts_for_colours_that_are_partly_clear_too() -> None:
    upload = pictures.encode(STICKER, "PNG", icc_profile=pictures.swapped_profile())
    picture = shown(upload, DUSK)
    assert is_near(colour_at(picture, 0.25), GREEN)
    assert is_near(colour_at(picture, 0.75), DUSK)


def test_a_profile_counts_for_a_palette() -> None:
    red = Image.new("RGB", (64, 64), RED).quantize()
    upload = pictures.encode(red, "PNG", icc_profile=pictures.swapped_profile())
    assert is_near(colour_at(shown(upload), 0.5), GREEN)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_profile_counts_for_grey(kind: str) -> None:
    grey = Image.new("L", (64, 64), 128)
    upload = pictures.encode(grey, kind, icc_profile=pictures.light_grey_profile())
    assert is_near(colour_at(shown(upload), 0.5), (192, 192, 192))


@pytest.mark.parametrize(
    ("mode", "profile"),
    [
        ("L", pictures.swapped_profile()),
        ("CMYK", pictures.swapped_profile()),
        ("RGB", pictures.light_grey_profile()),
    ],
    ids=["L", "CMYK", "RGB"],
)
def test_a_profile_for_other_colours_is_ignored(mode: str, profile: bytes) -> None:
    picture = pictures.photograph((64, 64)).convert(mode)
    upload = pictures.encode(picture, "JPEG", icc_profile=profile)
    assert difference(shown(upload), picture) < 8


@pytest.mark.parametrize("profile", [b"junk", pictures.swapped_profile()[:200]])
def test_a_profile_that_is_none_is_ignored(profile: bytes) -> None:
    picture = pictures.photograph((64, 64))
    upload = pictures.encode(picture, "JPEG", icc_profile=profile)
    assert difference(shown(upload), picture) < 8
