"""A kind of picture."""

from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True)
class Kind:
    """A file, and what it looks like where it is displayed as it is meant to be."""

    group: str
    name: str
    upload: bytes
    truth: Image.Image
