"""How pictures are compared that an encoder has been at, and how they are ingested in tests."""

from pathlib import Path
from tempfile import NamedTemporaryFile

from PIL import Image, ImageChops, ImageStat

from asgilook.codec import HeaderLimits, Ingested, IngestOptions, ingest
from asgilook.codec.colour import Colour

WHITE = (255, 255, 255)
OPTIONS = IngestOptions(
    limits=HeaderLimits(max_pixels=1_000_000, max_cost_bytes=512 * 1024 * 1024),
    min_thumb_size=64,
    jpeg_quality=90,
    thumbnail_quality=80,
    background=WHITE,
)


def ingested(upload: bytes, options: IngestOptions = OPTIONS) -> Ingested:
    """Ingest an upload, by way of a file."""
    with NamedTemporaryFile() as file:
        file.write(upload)
        file.flush()
        return ingest(Path(file.name), options)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Tell by how much the samples of two pictures of one size differ, on average, out of 255."""
    assert one.size == other.size
    changed = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    return max(ImageStat.Stat(changed).mean)


def is_near(colour: Colour, other: Colour) -> bool:
    """Tell whether two colours are one to the eye: a JPEG does not keep them to the digit."""
    return all(abs(one - another) <= 12 for one, another in zip(colour, other, strict=True))


def colour_at(picture: Image.Image, x_share: float) -> Colour:
    """Pick the colour at half the height, and at a share of the width."""
    place = (int(picture.width * x_share), picture.height // 2)
    red, green, blue = (band.getpixel(place) for band in picture.convert("RGB").split())
    assert isinstance(red, int)
    assert isinstance(green, int)
    assert isinstance(blue, int)
    return red, green, blue
