"""Whatever an upload holds: something sound comes of it, or a refusal, and nothing else."""

from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from asgilook.codec import inspect
from asgilook.errors import UploadRefused
from asgilook.image import Size
from tests import pictures
from tests.codec import seeds
from tests.codec.likeness import OPTIONS, ingested
from tests.codec.soundness import assert_sound

# Pillow's, about what is wrong with a file.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

TAKEN, NOT_TAKEN = seeds.taken(), seeds.not_taken()
WITH_EXIF = {"JPEG", "PNG", "WEBP", "TIFF", "AVIF"}

Way = tuple[str, str, dict[str, Any]]


def assert_sound_or_refused(upload: bytes) -> None:
    try:
        assert_sound(ingested(upload), OPTIONS)
    except UploadRefused:
        return


@pytest.mark.parametrize("name", TAKEN)
def test_every_kind_that_is_taken_comes_out_sound(name: str) -> None:
    assert_sound(ingested(TAKEN[name]), OPTIONS)


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_every_other_kind_is_refused(name: str) -> None:
    with pytest.raises(UploadRefused):
        ingested(NOT_TAKEN[name])


@pytest.mark.parametrize("name", TAKEN)
def test_a_file_that_ends_early_is_sound_or_refused(name: str) -> None:
    whole = TAKEN[name]
    for length in {*range(0, 64, 3), *range(0, len(whole), len(whole) // 12), len(whole) - 1}:
        assert_sound_or_refused(whole[:length])


@settings(max_examples=500)
@given(
    name=st.sampled_from(list(TAKEN)),
    changes=st.lists(st.sampled_from(seeds.CHANGES), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
)
def test_a_file_that_was_changed_is_sound_or_refused(
    name: str, changes: list[seeds.Change], seed: int
) -> None:
    upload, dice = TAKEN[name], Random(seed)
    for change in changes:
        upload = change(upload or b"\0", dice)
    assert_sound_or_refused(upload)


@settings(max_examples=200)
@given(
    first=st.sampled_from([*TAKEN.values()]),
    second=st.sampled_from([*TAKEN.values(), *NOT_TAKEN.values()]),
    place=st.floats(0, 1),
)
def test_two_files_in_one_are_sound_or_refused(first: bytes, second: bytes, place: float) -> None:
    assert_sound_or_refused(first[: round(place * len(first))] + second)


@settings(max_examples=200)
@given(upload=st.binary(max_size=300), name=st.sampled_from(list(TAKEN)))
def test_a_head_and_then_anything_is_sound_or_refused(upload: bytes, name: str) -> None:
    for length in (0, 4, 12, 30):
        assert_sound_or_refused(TAKEN[name][:length] + upload)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    way=st.sampled_from(seeds.WAYS),
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    orientation=st.integers(1, 8),
)
def test_any_picture_comes_out_upright_and_in_its_size(
    way: Way, width: int, height: int, orientation: int
) -> None:
    kind, mode, options = way
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    told = {"exif": exif} if kind in WITH_EXIF else {}
    picture = seeds.in_mode(pictures.photograph((width, height)), mode)
    upload = pictures.encode(picture, kind, **{**options, **told})
    made = ingested(upload)
    is_turned = bool(told) and orientation in {5, 6, 7, 8}
    assert made.size == (Size(height, width) if is_turned else Size(width, height))
    assert_sound(made, OPTIONS)
    with NamedTemporaryFile() as file:
        file.write(upload)
        file.flush()
        header = inspect(Path(file.name), OPTIONS.limits)
    assert sorted(header.size) == sorted(made.size)
    assert header.media_type == made.source_type
