"""Pictures are kept as they are meant to be seen."""

import pytest

from tests import pictures
from tests.codec.likeness import difference, ingested

PHOTOGRAPH = pictures.photograph((160, 100))
KINDS = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_comes_out_upright_however_it_lies(kind: str, orientation: int) -> None:
    made = ingested(pictures.oriented(PHOTOGRAPH, orientation, kind))
    assert made.size == PHOTOGRAPH.size
    assert difference(pictures.decode(made.jpeg), PHOTOGRAPH) < 8


@pytest.mark.parametrize("orientation", [0, 9, 65535])
@pytest.mark.parametrize("kind", KINDS)
def test_an_orientation_that_there_is_none_of_changes_nothing(kind: str, orientation: int) -> None:
    made = ingested(pictures.oriented(PHOTOGRAPH, orientation, kind))
    assert difference(pictures.decode(made.jpeg), PHOTOGRAPH) < 8


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(
    "exif",
    [b"", b"junk", b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\1"],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_sound_picture_with_broken_exif_is_taken_as_it_lies(kind: str, exif: bytes) -> None:
    made = ingested(pictures.encode(PHOTOGRAPH, kind, exif=exif))
    assert difference(pictures.decode(made.jpeg), PHOTOGRAPH) < 8
