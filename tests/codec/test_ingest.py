"""What becomes of uploads: which are taken, what is kept of them, and what never is."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from asgilook.codec import Ingested, render
from asgilook.errors import BrokenPicture, PictureTooLarge, UnsupportedType, UploadRefused
from asgilook.image import Format, Size, ladder
from tests import pictures
from tests.codec.likeness import OPTIONS, difference, ingested

TAKEN = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
}
SMALL_UPLOADS = {kind: pictures.upload((48, 32), kind) for kind in TAKEN}
MAX_SIDE = 65_500

NO_PICTURES = {
    "text": b"no picture at all",
    "a page": b"<!doctype html><title>hello</title>",
    "a drawing": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "a PDF": pictures.upload((64, 64), "PDF"),
    "an EPS": pictures.upload((64, 64), "EPS"),
    "a TGA": pictures.upload((64, 64), "TGA"),
    "a PPM": pictures.upload((64, 64), "PPM"),
    "an ICO": pictures.upload((64, 64), "ICO"),
    "a JPEG 2000": pictures.upload((64, 64), "JPEG2000"),
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_a_photograph_in_any_format_taken_becomes_a_jpeg_like_it(kind: str) -> None:
    photograph = pictures.photograph((320, 200))
    made = ingested(pictures.encode(photograph, kind))
    jpeg = pictures.decode(made.jpeg)
    assert made.source_type == TAKEN[kind]
    assert (made.size, made.sha256) == (Size(320, 200), sha256(made.jpeg).digest())
    assert (jpeg.format, jpeg.mode) == ("JPEG", "RGB")
    assert difference(jpeg, photograph) < 8


@pytest.mark.parametrize("upload", NO_PICTURES.values(), ids=NO_PICTURES.keys())
def test_what_is_no_picture_or_of_another_format_is_an_unsupported_type(upload: bytes) -> None:
    with pytest.raises(UnsupportedType):
        ingested(upload)


@pytest.mark.parametrize("kind", TAKEN)
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_a_file_that_breaks_off_is_broken_wherever_it_does(kind: str, share: float) -> None:
    whole = pictures.upload((320, 200), kind)
    with pytest.raises(BrokenPicture):
        ingested(whole[: max(32, round(share * len(whole)))])


@pytest.mark.parametrize("name", pictures.BROKEN)
def test_what_starts_as_a_picture_and_is_none_is_broken(name: str) -> None:
    with pytest.raises(BrokenPicture):
        ingested(pictures.BROKEN[name]())


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about what is wrong with a file
@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(list(TAKEN)),
    damage=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4
    ),
    kept=st.floats(0, 1),
)
def test_damaged_files_are_refused_or_make_a_sound_picture(
    kind: str, damage: list[tuple[float, int]], kept: float
) -> None:
    upload = bytearray(SMALL_UPLOADS[kind])
    for place, value in damage:
        upload[int(place * len(upload))] = value
    try:
        made = ingested(bytes(upload[: round(kept * 2 * len(upload))]))
    except UploadRefused:
        return
    assert pictures.decode(made.jpeg).size == made.size


def test_a_picture_of_too_many_pixels_is_refused_by_its_header() -> None:
    options = replace(OPTIONS, limits=replace(OPTIONS.limits, max_pixels=10_000))
    assert ingested(pictures.upload((100, 100)), options).size == (100, 100)
    with pytest.raises(PictureTooLarge):
        ingested(pictures.upload((101, 100)), options)
    with pytest.raises(PictureTooLarge):
        ingested(pictures.bomb((101, 100)), options)


@pytest.mark.parametrize("size", [(10_000, 10_000), (20_000, 20_000), (2**31 - 1, 1)], ids=str)
def test_a_bomb_is_too_large_rather_than_broken(size: tuple[int, int]) -> None:
    with pytest.raises(PictureTooLarge):
        ingested(pictures.bomb(size))


def test_no_side_is_longer_than_a_jpeg_can_have() -> None:
    line = pictures.encode(Image.new("L", (MAX_SIDE, 1)), "PNG")
    assert ingested(line).size == (MAX_SIDE, 1)
    with pytest.raises(PictureTooLarge):
        ingested(pictures.bomb((MAX_SIDE + 1, 1)))
    with pytest.raises(PictureTooLarge):
        ingested(pictures.bomb((1, MAX_SIDE + 1)))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (64, 64), (300, 20), (257, 511)], ids=str)
def test_the_whole_ladder_comes_with_it_as_a_later_rendering_would_make_it(
    size: tuple[int, int],
) -> None:
    made = ingested(pictures.upload(size, "PNG"))
    rungs = ladder(Size(*size), OPTIONS.min_thumb_size)
    later = render(made.jpeg, rungs, Format.JPEG, OPTIONS.thumbnail_quality)
    assert dict(made.thumbnails) == later
    assert {Size(*pictures.decode(body).size) for body in later.values()} == set(rungs)


def test_the_same_upload_always_makes_the_same_bytes() -> None:
    upload = pictures.upload((300, 200), "WEBP")
    assert ingested(upload) == ingested(upload)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF", "TIFF", "MPO"])
def test_only_the_first_frame_is_taken(kind: str) -> None:
    made = pictures.decode(ingested(pictures.animation(kind)).jpeg)
    assert difference(made, Image.new("RGB", (200, 100), "red")) < 12


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("profile", [None, pictures.swapped_profile()], ids=["plain", "profile"])
def test_what_a_file_tells_about_its_maker_goes_no_further(
    kind: str, profile: bytes | None
) -> None:
    upload = pictures.gossiping(kind, icc_profile=profile)
    assert pictures.SECRET.encode() in upload
    made = ingested(upload)
    for body in everything_made_of(made):
        assert pictures.SECRET.encode() not in body
        assert not tells_anything(body)


def everything_made_of(made: Ingested) -> list[bytes]:
    others = [
        render(made.jpeg, list(made.thumbnails), kind, 80) for kind in (Format.WEBP, Format.AVIF)
    ]
    return [
        made.jpeg,
        *made.thumbnails.values(),
        *(body for each in others for body in each.values()),
    ]


def tells_anything(body: bytes) -> bool:
    picture = pictures.decode(body)
    return bool(picture.info.keys() & {"exif", "xmp", "icc_profile", "comment", "photoshop"})
