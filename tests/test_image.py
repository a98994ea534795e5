"""Images, their sizes and their keys: pure values, so mostly properties."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgilook.ids import MAX_MS
from asgilook.image import (
    FALLBACK_SIDE,
    INDEX_PREFIX,
    Image,
    Original,
    Size,
    index_position,
    ladder,
    parse_size,
    strong_etag,
)

sizes = st.builds(Size, st.integers(1, 65_500), st.integers(1, 65_500))
milliseconds = st.integers(0, 253_402_300_799_999)  # until the year 9999 is over
ids = st.builds(
    lambda ms, bits: UUID(
        int=ms << 80 | 0x7 << 76 | bits >> 64 << 64 | 0x2 << 62 | bits & (1 << 62) - 1
    ),
    milliseconds,
    st.integers(0, (1 << 76) - 1),
)
images = st.builds(Image, ids, sizes, st.integers(0, 10**9), st.binary(max_size=30))
originals = st.builds(
    Original,
    images,
    st.binary(min_size=32, max_size=32),
    st.sampled_from(["image/jpeg", "image/png"]),
)
EXAMPLE = Image(UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), Size(462, 347), 70_000, b"\x01\xff")


@pytest.mark.parametrize(
    ("size", "rungs"),
    [
        ((462, 462), ["231x231", "115x115"]),
        ((2560, 1600), ["1280x800", "640x400", "320x200", "160x100"]),
        ((128, 128), ["64x64"]),
        ((127, 127), ["127x127"]),
        ((128, 127), ["128x127"]),
        ((1000, 100), ["128x13"]),
        ((10_000, 1), ["128x1"]),
        ((1, 1), ["1x1"]),
        ((129, 130), ["64x65"]),
    ],
)
def test_the_ladder_of_a_picture(size: tuple[int, int], rungs: list[str]) -> None:
    assert [str(rung) for rung in ladder(Size(*size), 64)] == rungs


@given(sizes, st.integers(16, 1024))
def test_a_ladder_is_never_empty_nor_larger_than_the_picture_and_goes_down(
    size: Size, min_side: int
) -> None:
    rungs = ladder(size, min_side)
    assert rungs
    assert len(set(rungs)) == len(rungs)
    assert rungs == sorted(rungs, reverse=True)
    for rung in rungs:
        assert 1 <= rung.width <= size.width
        assert 1 <= rung.height <= size.height
        assert min(rung) >= min_side or max(rung) == min(max(size), FALLBACK_SIDE)


@given(sizes)
def test_a_size_is_read_as_it_is_spelled(size: Size) -> None:
    assert parse_size(str(size)) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1x",
        "x1",
        "0x1",
        "1x0",
        "01x1",
        "1x1 ",
        "1x1\n",
        "1X1",
        "-1x1",
        "+1x1",
        "1_0x1",
        "\u0661x1",
        "1x1x1",
        "100000x1",
        "1.0x1",
    ],
)
def test_any_other_spelling_is_no_size(text: str) -> None:
    assert parse_size(text) is None


@given(images)
def test_a_record_of_the_listing_says_all_of_an_image(image: Image) -> None:
    assert Image.from_index_key(image.index_key) == image


@given(images)
def test_keys_are_safe_on_every_engine(image: Image) -> None:
    for key in (image.index_key, image.picture_key):
        assert re.fullmatch(r"[a-z]+/[a-z0-9_-]{1,190}(\.jpeg)?", key)


def test_keys_are_what_is_written_in_buckets() -> None:
    assert EXAMPLE.picture_key == "images/017f22e2-79b0-7cc3-98c4-dc0c0c07398f.jpeg"
    assert EXAMPLE.index_key == (
        "index/fe80dd1d864f-017f22e2-79b0-7cc3-98c4-dc0c0c07398f-462x347-70000-01ff"
    )


@given(images, images)
def test_keys_of_the_listing_sort_the_newest_first(one: Image, other: Image) -> None:
    if one.created != other.created:
        assert (one.index_key < other.index_key) == (one.created > other.created)


@given(images, images)
def test_the_place_after_an_image_lies_behind_it_and_before_the_next(
    one: Image, other: Image
) -> None:
    first, second = sorted([one, other], key=lambda image: image.index_key)
    assert first.index_key < index_position(first.id)
    if first.id != second.id:
        assert index_position(first.id) < second.index_key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "index/",
        "index/readme.txt",
        EXAMPLE.index_key.upper(),
        EXAMPLE.index_key.replace("index/", "images/"),
        EXAMPLE.index_key.replace("fe80dd1d864f", "fe80dd1d864e"),
        EXAMPLE.index_key.replace("-7cc3-", "-4cc3-"),
        EXAMPLE.index_key.replace("462x347", "0462x347"),
        EXAMPLE.index_key.replace("462x347", "462x"),
        EXAMPLE.index_key.replace("70000", "7\u0660000"),
        EXAMPLE.index_key.replace("70000", "070000"),
        f"{EXAMPLE.index_key}f",
        f"{EXAMPLE.index_key}\n",
    ],
)
def test_what_somebody_else_put_into_the_listing_is_no_image(key: str) -> None:
    assert Image.from_index_key(key) is None


@given(st.text())
def test_no_key_is_read_but_as_it_is_written(text: str) -> None:
    image = Image.from_index_key(INDEX_PREFIX + text)
    assert image is None or image.index_key == INDEX_PREFIX + text


def test_the_last_image_that_ids_have_room_for_comes_first() -> None:
    last = Image(UUID(int=MAX_MS << 80 | 0x7 << 76 | 0x2 << 62), Size(1, 1), 1, b"")
    assert last.index_key.startswith("index/000000000000-ffffffff-ffff-7")


@given(images)
def test_the_date_is_that_of_the_id_in_whole_seconds(image: Image) -> None:
    assert timedelta(0) <= image.created - image.modified < timedelta(seconds=1)
    assert image.modified.microsecond == 0


@given(originals)
def test_an_original_is_read_back_from_its_objects_metadata(original: Original) -> None:
    image = original.image
    read = Original.from_metadata(image.id, image.length_bytes, original.metadata())
    assert read == original


@given(originals)
def test_metadata_is_what_every_engine_takes(original: Original) -> None:
    metadata = original.metadata()
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in metadata)
    assert all(value.isascii() and value.isprintable() for value in metadata.values())
    assert sum(map(len, [*metadata, *metadata.values()])) < 2000


@pytest.mark.parametrize("missing", ["width", "height", "placeholder", "sha256", "source-type"])
def test_an_object_that_lacks_a_word_is_not_ours(missing: str) -> None:
    metadata = Original(EXAMPLE, bytes(32), "image/png").metadata()
    del metadata[missing]
    with pytest.raises(KeyError):
        Original.from_metadata(EXAMPLE.id, 1, metadata)


def test_a_tag_is_strong_and_tells_digests_apart() -> None:
    assert strong_etag(bytes(range(32))) == '"000102030405060708090a0b0c0d0e0f"'
