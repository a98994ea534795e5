"""Thumbnails off the ladder: any box, fit, quality and pixel ratio. Pure values.

Whoever may sign decides which of them exist; the ladder needs no signature because it is short.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from asgilook.image import Format, Size

MAX_SIDE = 4096
"""The longest side of a variant, in pixels."""


class Fit(StrEnum):
    """How a picture meets a box of other proportions; never is it enlarged."""

    CONTAIN = "contain"
    """All of the picture, within the box."""
    COVER = "cover"
    """All of the box, from the picture's middle."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a variant is made, apart from its box and format."""

    fit: Fit = Fit.CONTAIN
    quality: int | None = None
    """From 1 to 100; None for the quality of all thumbnails."""
    pixel_ratio: int = 1
    """Pixels of the display to one of the box, each way."""
    expires_s: int | None = None
    """The Unix time from which on the variant's path is not valid any more."""

    def __str__(self) -> str:
        """Spell the options as paths do."""
        parts: list[str] = [self.fit]
        parts += [f"q{self.quality}"] if self.quality else []
        parts += [f"x{self.pixel_ratio}"] if self.pixel_ratio > 1 else []
        parts += [f"e{self.expires_s}"] if self.expires_s else []
        return ",".join(parts)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read options in their one canonical spelling; any other spelling is none."""
        match = _OPTIONS.fullmatch(text)
        if match is None:
            return None
        fit, *numbers = match.groups()
        quality, ratio, expires_s = (int(digits) if digits else None for digits in numbers)
        return cls(Fit(fit), quality, ratio or 1, expires_s)


_OPTIONS = re.compile(r"(contain|cover)(?:,q([1-9][0-9]?|100))?(?:,x([23]))?(?:,e([1-9][0-9]{9}))?")


@dataclass(frozen=True, slots=True)
class Variant:
    """A thumbnail off the ladder. What its path's signature and expiry were makes no difference."""

    box: Size
    """In pixels of the thumbnail itself."""
    kind: Format
    fit: Fit
    quality: int | None

    @classmethod
    def of(cls, box: Size, kind: Format, options: Options) -> Self | None:
        """Work the pixel ratio into the box; a box larger than `MAX_SIDE` makes no variant."""
        pixels = Size(box.width * options.pixel_ratio, box.height * options.pixel_ratio)
        return None if max(pixels) > MAX_SIDE else cls(pixels, kind, options.fit, options.quality)

    @property
    def name(self) -> str:
        """Tell the variant from an image's other thumbnails."""
        return f"{self.box}-{self.fit}-{self.quality or 'q'}.{self.kind}"
