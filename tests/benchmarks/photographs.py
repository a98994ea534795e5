"""The pictures that are measured with: real photographs where Debian has them, or else made up.

Nothing of them is kept in the repository: a package of wallpapers is unpacked in `CACHE`.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache, reduce
from io import BytesIO
from pathlib import Path
from typing import Any

import click
from PIL import Image, ImageChops, ImageOps

from asgilook.image import Size

CACHE = Path(sys.prefix) / "bench"
"""What is fetched once and kept: `make clean` removes it, for it lies in the environment."""

SIZE = Size(2560, 1600)
LARGE = Size(6000, 4000)
FIELDS = {"content-type": "image/jpeg"}

PACKAGE = "lomiri-wallpapers-16.04"
NAMES = (
    "Dragonfly_by_Bolly",
    "Picture_0B_by_freespace",
    "aitzgorri_by_Aitzol_Berasategi",
    "free_by_Peter_Nerlich",
    "life_by_Aitzol_Berasategi",
    "picosdeeuropa_by_Aitzol_Berasategi",
    "seeding_by_Clements_Engelhardt",
    "sunset_by_Aitzol_Berasategi",
)


@cache
def uploads() -> list[bytes]:
    """Give eight photographs as a camera's JPEGs, all of `SIZE`."""
    return [encoded(picture, "JPEG", quality=92) for picture in _pictures(SIZE)]


@cache
def large_uploads() -> list[bytes]:
    """Give them with the 24 megapixels of `LARGE`."""
    return [encoded(picture, "JPEG", quality=92) for picture in _pictures(LARGE)]


def converted(upload: bytes, kind: str, options: Mapping[str, Any]) -> bytes:
    """Encode an upload anew in another format."""
    with Image.open(BytesIO(upload)) as picture:
        return upload if picture.format == kind else encoded(picture, kind, **options)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Encode with Pillow's own options for the format."""
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def _pictures(size: Size) -> list[Image.Image]:
    folder = _photographs()
    if folder is None:
        return [_made_up(size) for _ in NAMES]
    paths = [folder / f"{name}.jpg" for name in NAMES]
    return [ImageOps.fit(Image.open(path).convert("RGB"), size) for path in paths]


@cache
def _photographs() -> Path | None:
    """Find the photographs, fetching Debian's package of them where there is apt."""
    folder = CACHE / "usr/share/backgrounds"
    if not folder.exists():
        if not shutil.which("apt-get"):
            click.secho("NO PHOTOGRAPHS: without apt-get, they are made up", fg="red", err=True)
            return None
        CACHE.mkdir(exist_ok=True)
        subprocess.run(["apt-get", "download", "-qq", PACKAGE], cwd=CACHE, check=True)
        (archive,) = CACHE.glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", archive, CACHE], check=True)
    return folder


def _made_up(size: Size) -> Image.Image:
    """Paint shapes of every scale, as real photographs have them."""
    return Image.merge("RGB", [_band(size) for _ in range(3)])


def _band(size: Size) -> Image.Image:
    """Add noise of all scales up: the coarser, the stronger."""
    octaves = [_noise(size, scale) for scale in (256, 64, 16, 4, 1)]
    return reduce(lambda sum_, octave: ImageChops.add(sum_, octave, offset=-128), octaves)


def _noise(size: Size, scale: int) -> Image.Image:
    grain = Image.effect_noise((size.width // scale, size.height // scale), 4 * scale**0.5)
    return grain.resize(size, Image.Resampling.BICUBIC)
