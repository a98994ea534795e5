"""Quality means the same in every format: as like the picture as a JPEG of that quality."""

import pytest
from PIL import ImageChops, ImageStat

from asgilook.codec.encode import encode
from asgilook.image import Format
from tests import pictures

PHOTOGRAPH = pictures.photograph((640, 400))


@pytest.mark.parametrize("quality", [20, 50, 80, 95])
def test_an_avif_is_as_like_the_picture_as_a_jpeg_of_its_quality_in_fewer_bytes(
    quality: int,
) -> None:
    jpeg, avif = (encode(PHOTOGRAPH.copy(), kind, quality) for kind in (Format.JPEG, Format.AVIF))
    assert len(avif) < len(jpeg)
    assert _error(avif) == pytest.approx(_error(jpeg), rel=0.3)


@pytest.mark.parametrize("kind", Format)
def test_every_quality_makes_a_picture(kind: Format) -> None:
    small = PHOTOGRAPH.resize((32, 20))
    lengths = [len(encode(small.copy(), kind, quality)) for quality in range(1, 101)]
    assert lengths[0] < lengths[49] < lengths[-1]


def _error(body: bytes) -> float:
    """Tell how far the light of a picture is from the photograph's, as a root of mean squares."""
    light = [picture.convert("L") for picture in (pictures.decode(body), PHOTOGRAPH)]
    return ImageStat.Stat(ImageChops.difference(*light)).rms[0]
