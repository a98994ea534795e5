"""Thumbnails: of exactly the size that was advertised, like the original, the same every time."""

import sys
from collections import Counter
from itertools import combinations
from random import Random
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from asgilook.codec import render
from asgilook.errors import StoreUnavailable
from asgilook.image import Format, Size, ladder
from tests import pictures
from tests.codec.likeness import difference

SOURCE = pictures.upload((517, 389), quality=95)
RUNGS = ladder(Size(517, 389), min_side=16)
LOOK = (Format.JPEG, 95)

sizes = st.builds(Size, st.integers(1, 300), st.integers(1, 300))
long_sizes = st.builds(Size, st.integers(1, 9), st.integers(500, 3000))


@settings(max_examples=60, deadline=None)
@given(
    size=sizes | long_sizes | long_sizes.map(lambda size: Size(size.height, size.width)),
    kind=st.sampled_from(Format),
    min_side=st.sampled_from([1, 16, 64]),
)
def test_every_rung_has_the_size_that_its_name_says(
    size: Size, kind: Format, min_side: int
) -> None:
    rungs = ladder(size, min_side)
    made = render(pictures.upload(size), rungs, kind, 80)
    found = {rung: pictures.decode(body) for rung, body in made.items()}
    assert list(found) == rungs
    assert [Size(*picture.size) for picture in found.values()] == rungs
    assert {picture.format for picture in found.values()} == {kind.name}


@pytest.mark.parametrize("kind", Format)
def test_a_rungs_bytes_do_not_depend_on_the_rungs_made_with_it(kind: Format) -> None:
    together = render(SOURCE, RUNGS, kind, 80)
    for count in range(1, len(RUNGS)):
        for some in combinations(RUNGS, count):
            assert render(SOURCE, some, kind, 80) == {size: together[size] for size in some}


@pytest.mark.parametrize("kind", Format)
def test_the_order_in_which_rungs_are_asked_for_makes_no_difference(kind: Format) -> None:
    assert render(SOURCE, RUNGS[::-1], kind, 80) == render(SOURCE, RUNGS, kind, 80)


@pytest.mark.parametrize("kind", Format)
@pytest.mark.parametrize(
    "size", [(512, 384), (517, 389), (389, 516), (255, 255), (131, 129)], ids=str
)
def test_a_thumbnail_shows_what_a_careful_resampling_of_the_original_shows(
    size: tuple[int, int], kind: Format
) -> None:
    jpeg = pictures.upload(size, quality=95)
    for rung, body in render(jpeg, ladder(Size(*size), 16), kind, 95).items():
        careful = pictures.decode(jpeg).resize(rung, Image.Resampling.LANCZOS)
        assert difference(pictures.decode(body), careful) < 4


def test_halving_is_nearer_to_a_careful_resampling_than_boxes_are() -> None:
    grain = Image.frombytes("L", (512, 384), Random(0).randbytes(512 * 384))
    jpeg = pictures.encode(grain, quality=95)
    rungs = ladder(Size(512, 384), 32)
    box = pictures.decode(render(jpeg, rungs[:1], Format.JPEG, 100)[rungs[0]])
    for rung, body in list(render(jpeg, rungs, Format.JPEG, 100).items())[1:]:
        box = box.reduce(2)
        careful = pictures.decode(jpeg).resize(rung, Image.Resampling.LANCZOS)
        assert difference(pictures.decode(body), careful) < 0.8 * difference(box, careful)


@pytest.mark.parametrize("size", [(300, 20), (20, 300), (129, 100), (100, 127)], ids=str)
def test_a_picture_without_a_ladder_has_one_thumbnail_that_shows_all_of_it(
    size: tuple[int, int],
) -> None:
    jpeg = pictures.upload(size, quality=95)
    (rung,) = ladder(Size(*size), 64)
    made = pictures.decode(render(jpeg, [rung], *LOOK)[rung])
    careful = pictures.decode(jpeg).resize(rung, Image.Resampling.LANCZOS)
    assert difference(made, careful) < 6


@pytest.mark.parametrize("side", [255, 256, 257, 511])
def test_an_edge_stays_where_it_is_through_all_the_halvings(side: int) -> None:
    halves = Image.new("L", (side, side), 0)
    halves.paste(255, (0, 0, side // 2, side))
    for rung, body in render(pictures.encode(halves), ladder(Size(side, side), 16), *LOOK).items():
        column_sums = pictures.decode(body).resize((rung.width, 1), Image.Resampling.BOX).tobytes()
        assert sum(column_sums) / 255 / rung.width == pytest.approx(
            side // 2 / side, abs=0.1 / rung.width
        )


def test_an_original_is_decoded_in_one_call() -> None:
    original = pictures.upload((1600, 1200), quality=95)
    calls = Counter[str]()

    def note(frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call":
            calls[function.__name__] += 1

    sys.setprofile(note)
    try:
        render(original, [Size(800, 600)], Format.JPEG, 80)
    finally:
        sys.setprofile(None)
    assert len(original) > 2 * ImageFile.MAXBLOCK
    # Between two a thread would have to get hold of the GIL again.
    assert calls["decode"] == 1


@pytest.mark.parametrize("kind", Format)
def test_grey_stays_grey(kind: Format) -> None:
    grey = pictures.encode(pictures.photograph((256, 256)).convert("L"))
    body = render(grey, [Size(128, 128)], kind, 80)[Size(128, 128)]
    red, green, blue = pictures.decode(body).convert("RGB").split()
    assert difference(Image.merge("RGB", [red] * 3), Image.merge("RGB", [green, blue, red])) < 2


def test_more_quality_takes_more_bytes() -> None:
    for kind in Format:
        lengths = [len(render(SOURCE, RUNGS[:1], kind, q)[RUNGS[0]]) for q in (10, 50, 90)]
        assert lengths == sorted(set(lengths))


@pytest.mark.parametrize(
    "original", [b"", b"junk", SOURCE[:5000], pictures.upload(kind="PNG")], ids=len
)
def test_an_original_that_does_not_decode_is_the_stores_trouble(original: bytes) -> None:
    with pytest.raises(StoreUnavailable):
        render(original, RUNGS, Format.JPEG, 80)
