"""From samples of any depth to eight bits; Pillow's own `convert` clips what is deeper to white."""

from typing import Any

from PIL import Image, ImageChops, ImageFile, TiffImagePlugin

_PNG_KEY_SCALES = {"L;2": 85, "L;4": 17}


def is_deep(picture: Image.Image) -> bool:
    """Tell whether the samples have more than eight bits; colours never have, in Pillow."""
    return picture.mode.startswith(("I", "F"))


def scale_key(file: ImageFile.ImageFile) -> None:
    """Make the transparent colour of a PNG fit its samples: Pillow scales them to eight bits, only.

    For a file that is not loaded yet.
    """
    key, tile = file.info.get("transparency"), file.tile[0]
    if isinstance(key, tuple) and tile.args == "RGB;16B":
        file.info["transparency"] = tuple(value >> 8 for value in key)
    elif isinstance(key, int) and tile.args in _PNG_KEY_SCALES:
        file.info["transparency"] = key * _PNG_KEY_SCALES[str(tile.args)]


def to_8_bits(picture: Image.Image) -> Image.Image:
    """Scale deep grey samples to black at 0 and white at 255."""
    low, high = _range(picture)
    is_white_zero = _tag(picture, TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 1) == 0
    if picture.mode not in {"I", "F"}:
        picture = picture.convert("I")
    scale = 255 / (high - low or 1)
    # Half a step more, since the conversion that follows cuts off what is behind the point.
    grey = picture.point(lambda value: value * scale + (0.5 - low * scale)).convert("L")
    return ImageChops.invert(grey) if is_white_zero else grey


def key_mask(picture: Image.Image, key: int) -> Image.Image:
    """Mark with 255 where deep grey samples are exactly the transparent one."""
    whole = picture.convert("I")
    above = whole.point(lambda value: value * 1 - key).convert("L")
    below = whole.point(lambda value: value * -1 + key).convert("L")
    return ImageChops.add(above, below).point(lambda value: 0 if value else 255)


def _range(picture: Image.Image) -> tuple[float, float]:
    """Find what is black and what is white: what the format says, or else what there is."""
    if picture.mode not in {"I", "F"}:
        bits = _tag(picture, TiffImagePlugin.BITSPERSAMPLE, (16,))[0]
        return 0, 2**bits - 1
    low, high = picture.getextrema()
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    usual = 65535 if picture.mode == "I" else 1
    return (0, usual) if low >= 0 and high <= usual else (low, high)


def _tag(picture: Image.Image, number: int, default: Any) -> Any:
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        return picture.tag_v2.get(number, default)
    return default
