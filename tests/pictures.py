"""Pictures made up for the suite: small, and the same on every run."""

import struct
from collections.abc import Callable
from functools import partial
from io import BytesIO
from random import Random
from typing import Any
from zlib import crc32

from PIL import ExifTags, Image, ImageCms

Pair = tuple[int, int]

SECRET = "52.516275 N, 13.377704 E"
"""What `gossiping` pictures tell in every place that a file has for words."""

_Turn = Image.Transpose
# How the pixels lie in a file with this orientation (EXIF 2.32, section 4.6.4, tag 0x0112).
_LYING = {
    2: _Turn.FLIP_LEFT_RIGHT,
    3: _Turn.ROTATE_180,
    4: _Turn.FLIP_TOP_BOTTOM,
    5: _Turn.TRANSPOSE,
    6: _Turn.ROTATE_90,
    7: _Turn.TRANSVERSE,
    8: _Turn.ROTATE_270,
}


def photograph(size: Pair = (640, 480)) -> Image.Image:
    """Paint light that falls on each colour from another side, with some grain."""
    gradient = Image.linear_gradient("L")
    light = Image.merge("RGB", [gradient.rotate(90 * side).resize(size) for side in range(3)])
    grain = Image.frombytes("RGB", size, Random(0).randbytes(3 * size[0] * size[1]))
    return Image.blend(light, grain, 0.1)


def encode(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """Encode a picture, with Pillow's own options for the format."""
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def decode(encoded: bytes) -> Image.Image:
    """Decode a picture whole, so that nothing is left open."""
    with Image.open(BytesIO(encoded)) as picture:
        picture.load()
        return picture


def upload(size: Pair = (640, 480), kind: str = "JPEG", **options: Any) -> bytes:
    """Encode a photograph."""
    return encode(photograph(size), kind, **options)


def oriented(picture: Image.Image, orientation: int, kind: str = "JPEG", **options: Any) -> bytes:
    """Encode a picture lying in one of EXIF's eight ways: displayed, it is `picture` again."""
    lying = picture.transpose(_LYING[orientation]) if orientation in _LYING else picture
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return encode(lying, kind, exif=exif.tobytes(), **options)


def gossiping(kind: str, size: Pair = (320, 240), **options: Any) -> bytes:
    """Encode a photograph that tells `SECRET` as EXIF, XMP and comment."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = SECRET
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = SECRET
    words = {"exif": exif, "comment": SECRET, "xmp": SECRET.encode()}
    return upload(size, kind, **words, **options)


def sticker(size: Pair = (256, 256)) -> Image.Image:
    """Paint the left half in solid red; the right half is clear, hiding green."""
    picture = Image.new("RGBA", size, (0, 255, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, size[0] // 2, size[1]))
    return picture


def deep_ramp(size: Pair = (256, 256)) -> Image.Image:
    """Paint 16-bit grey from black on the left to white on the right."""
    width, height = size
    row = [x * 65535 // (width - 1) for x in range(width)]
    return Image.frombytes("I;16", size, struct.pack(f"<{width}H", *row) * height)


def swapped_profile() -> bytes:
    """Make a profile that calls sRGB's green red, and its red green."""
    profile = _srgb_profile()
    return profile.replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ").replace(b"....", b"gXYZ")


def light_grey_profile() -> bytes:
    """Make a profile for grey whose middle is lighter than that of sRGB: 192 instead of 128."""
    profile = _srgb_profile().replace(b"RGB XYZ ", b"GRAYXYZ ").replace(b"rTRC", b"kTRC")
    return profile.replace(_fixed(2.4), _fixed(1.0))


def _srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _fixed(number: float) -> bytes:
    """Spell a number as profiles do (ICC.1:2022, section 4.6)."""
    return struct.pack(">i", int(number * 65536))


def animation(kind: str, size: Pair = (200, 100)) -> bytes:
    """Encode two frames: first red, then blue."""
    frames = [Image.new("RGB", size, colour) for colour in ("red", "blue")]
    return encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def on_a_screen(picture: Image.Image, margin: int) -> bytes:
    """Encode a GIF whose screen is larger than its only frame, by a margin on each side."""
    whole = bytearray(encode(picture, "GIF"))
    frame_at = whole.index(b",", 13 + 3 * 2 ** ((whole[10] & 7) + 1))
    whole[frame_at + 1 : frame_at + 5] = struct.pack("<HH", margin, margin)
    whole[6:10] = struct.pack("<HH", *(side + 2 * margin for side in picture.size))
    return bytes(whole)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))


def _half(kind: str) -> bytes:
    whole = upload((160, 120), kind)
    return whole[: len(whole) // 2]


def bomb(size: Pair) -> bytes:
    """Make a PNG that promises this many pixels, and has none."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + _chunk(b"IDAT", b"") + _chunk(b"IEND", b"")


BROKEN: dict[str, Callable[[], bytes]] = {
    **{
        f"half a {kind}": partial(_half, kind)
        for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")
    },
    "a PNG without pixels": partial(bomb, (64, 64)),
}
"""Files that start as pictures do, and are none."""
