"""What is fuzzed: `python -m tests.fuzz.target` with libFuzzer's options; see `__main__.py`."""

import sys
import warnings
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile

import atheris

with atheris.instrument_imports(include=["PIL", "asgilook"]):
    from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin  # noqa: F401

    from asgilook.codec import HeaderLimits, IngestOptions, ingest, inspect
    from asgilook.errors import UploadRefused

from tests.codec import seeds
from tests.codec.soundness import assert_sound

MB = 1024 * 1024
OPTIONS = IngestOptions(HeaderLimits(1_000_000, 64 * MB), 64, 90, 80, (255, 255, 255))


def take(upload: bytes) -> None:
    """Ingest an upload: either something sound comes of it, or a refusal."""
    with NamedTemporaryFile() as file:
        file.write(upload)
        file.flush()
        path = Path(file.name)
        try:
            inspect(path, OPTIONS.limits)
            made = ingest(path, OPTIONS)
        except UploadRefused:
            return
    assert_sound(made, OPTIONS)


def change(upload: bytes, most: int, seed: int) -> bytes:
    """Change an upload as somebody would who knows formats, or as libFuzzer does."""
    dice = Random(seed)
    if upload and dice.randrange(2):
        changed = dice.choice(seeds.CHANGES)(upload, dice)
    else:
        changed = bytes(atheris.Mutate(upload, most))
    return changed[:most]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    atheris.Setup(sys.argv, take, custom_mutator=change)
    atheris.Fuzz()
