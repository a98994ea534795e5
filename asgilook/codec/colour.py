"""From whatever a file holds to plain sRGB: profiles, deep samples, palettes, transparency."""

import io

from PIL import Image, ImageCms

Colour = tuple[int, int, int]

_PROFILE_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
_DEEP_MODES = {"I;16", "I;16L", "I;16B", "I;16N", "I", "F"}


def flatten(picture: Image.Image, background: Colour) -> Image.Image:
    """Give an RGB or L picture in sRGB; what is transparent shows the background colour."""
    profile = picture.info.get("icc_profile")
    if picture.mode in _DEEP_MODES:
        return _scaled_to_8_bits(picture)
    if _is_transparent(picture):
        return _composed(picture.convert("RGBA"), profile, background)
    if picture.mode in {"1", "LA", "La"}:
        picture = picture.convert("L")
    elif picture.mode not in _PROFILE_SPACES:
        picture = picture.convert("RGB")
    return _to_srgb(picture, profile)


def _is_transparent(picture: Image.Image) -> bool:
    return picture.has_transparency_data


def _composed(picture: Image.Image, profile: bytes | None, background: Colour) -> Image.Image:
    # The colours are converted before they meet the background, which is sRGB already.
    colours = _to_srgb(picture.convert("RGB"), profile)
    canvas = Image.new("RGB", picture.size, background)
    canvas.paste(colours, mask=picture.getchannel("A"))
    return canvas


def _scaled_to_8_bits(picture: Image.Image) -> Image.Image:
    """Scale deep grey samples; a plain `convert` would clip them all to white."""
    if picture.mode == "F":
        low, high = _extremes(picture)
        scale = 255 / (high - low or 1)
        return picture.point(lambda value: value * scale - low * scale).convert("L")
    return picture.convert("I").point(lambda value: value * (1 / 257)).convert("L")


def _extremes(picture: Image.Image) -> tuple[float, float]:
    low, high = picture.getextrema()
    assert isinstance(low, float)
    assert isinstance(high, float)
    return low, high


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert by the file's profile where it has one that fits; ignore one that does not."""
    plain = "L" if picture.mode == "L" else "RGB"
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.xcolor_space == _PROFILE_SPACES[picture.mode]:
                target = ImageCms.createProfile("sRGB")
                converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
                if converted is not None:
                    return converted.convert(plain)
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return picture.convert(plain)
