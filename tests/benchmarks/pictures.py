"""A photograph made up, with shapes of every scale as real ones have them."""

from functools import cache, reduce
from io import BytesIO

from PIL import Image, ImageChops

from asgilook.image import Size

SIZE = Size(2560, 1600)
FIELDS = {"content-type": "image/jpeg"}


@cache
def photograph() -> bytes:
    """Give it as a JPEG."""
    file = BytesIO()
    Image.merge("RGB", [_band() for _ in range(3)]).save(file, "JPEG", quality=92)
    return file.getvalue()


def _band() -> Image.Image:
    """Add noise of all scales up: the coarser, the stronger."""
    octaves = [_noise(scale) for scale in (256, 64, 16, 4, 1)]
    return reduce(lambda sum_, octave: ImageChops.add(sum_, octave, offset=-128), octaves)


def _noise(scale: int) -> Image.Image:
    grain = Image.effect_noise((SIZE.width // scale, SIZE.height // scale), 4 * scale**0.5)
    return grain.resize(SIZE, Image.Resampling.BICUBIC)
