"""What is counted before a file is opened: sound files have no reason to fear it."""

from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from asgilook.codec.structure import (
    MAX_EXIF_SEGMENTS,
    MAX_PIECES,
    MAX_SCANS,
    MAX_SEGMENTS,
    MAX_VALUES,
    check_structure,
)
from asgilook.errors import BrokenPicture
from tests import pictures
from tests.codec import bombs, boxes, seeds


def check(upload: bytes, folder: Path) -> None:
    path = folder / "upload"
    path.write_bytes(upload)
    check_structure(path)


@pytest.mark.parametrize("name", seeds.taken())
def test_sound_files_pass_and_so_does_all_that_is_left_of_them(name: str, tmp_path: Path) -> None:
    upload = seeds.taken()[name]
    for length in range(1, len(upload) + 1, len(upload) // 50):
        check(upload[:length], tmp_path)


def test_a_film_behind_a_photograph_is_not_taken_for_scans(tmp_path: Path) -> None:
    film = Random(0).randbytes(30_000_000)
    assert film.count(b"\xff\xda") > MAX_SCANS
    check(pictures.upload() + film, tmp_path)


def test_a_preview_and_a_profile_within_are_not_taken_for_scans(tmp_path: Path) -> None:
    preview = b"Exif\0\0" + b"\xff\xda" * 30_000
    check(bombs.jpeg_of_segments(1, 0xE1, preview), tmp_path)
    check(bombs.jpeg_of_segments(255, 0xE2, b"ICC_PROFILE\0" + b"\xff\xda" * 500), tmp_path)


def test_a_large_progressive_photograph_has_not_too_many_scans(tmp_path: Path) -> None:
    picture = Image.new("RGB", (7_000, 7_000))
    check(pictures.encode(picture, progressive=True, quality=95, subsampling=0), tmp_path)


@pytest.mark.parametrize("rows", [1, 16])
def test_a_large_scan_of_jpegs_has_not_too_many(rows: int, tmp_path: Path) -> None:
    file = BytesIO()
    strip_bytes = 3 * 1_000 * 8 * rows
    Image.new("RGB", (1_000, 3_000)).save(
        file, "TIFF", compression="jpeg", strip_size=strip_bytes, big_tiff=rows == 1
    )
    check(file.getvalue(), tmp_path)


def test_a_long_profile_among_the_items_is_not_taken_for_items(tmp_path: Path) -> None:
    check(pictures.upload((64, 48), "AVIF", icc_profile=bytes(3_000_000)), tmp_path)


@pytest.mark.parametrize(
    "upload",
    [
        bombs.jpeg_of_segments(MAX_SEGMENTS),
        bombs.jpeg_of_segments(MAX_EXIF_SEGMENTS + 1, 0xE1, b"Exif\0\0"),
        bombs.jpeg_of_scans(MAX_SCANS, 16),
        bombs.png_of_chunks(MAX_PIECES),
        bombs.gif_of_comments(MAX_PIECES),
        boxes.avif_of_boxes(MAX_PIECES),
        bombs.tiff_of_values(MAX_VALUES + 1),
    ],
    ids=["segments", "EXIF", "scans", "chunks", "blocks", "boxes", "values"],
)
def test_one_piece_more_than_may_be_is_too_many(upload: bytes, tmp_path: Path) -> None:
    with pytest.raises(BrokenPicture, match="made to be slow"):
        check(upload, tmp_path)
