"""From whatever a file holds to plain sRGB: profiles, deep samples, palettes, transparency.

Each step gives up what it had before the next one starts: at 40 megapixels a copy is 160 MB.
"""

import contextlib
import io

from PIL import Image, ImageChops, ImageCms

Colour = tuple[int, int, int]

_PROFILE_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}


def flatten(picture: Image.Image, background: Colour) -> Image.Image:
    """Give an RGB or L picture in sRGB; what is transparent shows the background colour.

    It may be the picture itself.
    """
    profile = picture.info.get("icc_profile")
    if picture.mode.startswith(("I", "F")):
        return _scaled_to_8_bits(picture)
    if picture.has_transparency_data:
        return _composed(picture, profile, background)
    if picture.mode in {"1", "LA", "La"}:
        picture = picture.convert("L")
    elif picture.mode not in _PROFILE_SPACES:
        picture = picture.convert("RGB")
    return _to_srgb(picture, profile)


def _composed(picture: Image.Image, profile: bytes | None, background: Colour) -> Image.Image:
    if picture.mode != "RGBA":
        picture = picture.convert("RGBA")
    clear = ImageChops.invert(picture.getchannel("A"))
    # The colours are converted before they meet the background, which is sRGB already.
    colours = _to_srgb(picture.convert("RGB"), profile)
    colours.paste(background, (0, 0, *colours.size), clear)
    return colours


def _scaled_to_8_bits(picture: Image.Image) -> Image.Image:
    """Scale deep grey samples; a plain `convert` would clip all but the darkest to white."""
    if picture.mode == "F":
        low, high = _extremes(picture)
        scale = 255 / (high - low or 1)
        return picture.point(lambda value: value * scale - low * scale).convert("L")
    if picture.mode != "I":
        picture = picture.convert("I")
    # Half a step more, since the conversion that follows cuts off what is behind the point.
    return picture.point(lambda value: value * (1 / 257) + 0.5).convert("L")


def _extremes(picture: Image.Image) -> tuple[float, float]:
    low, high = picture.getextrema()
    assert isinstance(low, float)
    assert isinstance(high, float)
    return low, high


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert by the file's profile where it has one that fits; ignore one that does not."""
    plain = "L" if picture.mode == "L" else "RGB"
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.xcolor_space == _PROFILE_SPACES[picture.mode]:
                target = ImageCms.createProfile("sRGB")
                converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
                if converted is not None:
                    picture = converted
    return picture if picture.mode == plain else picture.convert(plain)
