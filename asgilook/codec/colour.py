"""From whatever a file holds to plain sRGB: profiles, palettes, transparency.

Each step gives up what it had before the next one starts: at 40 megapixels a copy is 160 MB.
"""

import contextlib
import io
from typing import Any

from PIL import Image, ImageChops, ImageCms

from asgilook.codec import depth

Colour = tuple[int, int, int]

_PROFILE_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
_NOT_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}


def flatten(picture: Image.Image, background: Colour) -> Image.Image:
    """Give an RGB or L picture in sRGB; what is transparent shows the background colour.

    It may be the picture itself.
    """
    profile = picture.info.get("icc_profile")
    if picture.mode in _NOT_PREMULTIPLIED:
        picture = picture.convert(_NOT_PREMULTIPLIED[picture.mode])
    clear = _clear(picture)
    # The colours are converted before they meet the background, which is sRGB already.
    colours = _to_srgb(_colours(picture), profile)
    if clear is None:
        return colours
    if colours.mode != "RGB":
        colours = colours.convert("RGB")
    colours.paste(background, (0, 0, *colours.size), clear)
    return colours


def _clear(picture: Image.Image) -> Image.Image | None:
    """Tell how far each pixel is to be seen through: 0 for not at all."""
    if not picture.has_transparency_data:
        return None
    key = picture.info.get("transparency")
    if depth.is_deep(picture) and isinstance(key, int):
        return depth.key_mask(picture, key)
    if not picture.mode.endswith("A"):
        picture = picture.convert("RGBA")
    return ImageChops.invert(picture.getchannel("A"))


def _colours(picture: Image.Image) -> Image.Image:
    """Give the colours alone, in a mode that there are profiles for, or in Lab."""
    picture.info.pop("transparency", None)
    if depth.is_deep(picture):
        return depth.to_8_bits(picture)
    if picture.mode in {"1", "LA"}:
        return picture.convert("L")
    return picture if picture.mode in {*_PROFILE_SPACES, "LAB"} else picture.convert("RGB")


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert by the file's profile where it has one that fits; ignore one that does not."""
    if picture.mode == "LAB":
        return _converted(picture, ImageCms.createProfile("LAB"))
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.xcolor_space == _PROFILE_SPACES[picture.mode]:
                picture = _converted(picture, source)
    return picture if picture.mode in {"L", "RGB"} else picture.convert("RGB")


def _converted(picture: Image.Image, source: Any) -> Image.Image:
    target = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    assert converted is not None
    return converted
