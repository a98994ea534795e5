"""Sound files of every kind that is taken, and of many that are not, and what can be done to them.

All of it is the same on every run.
"""

import re
import struct
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from PIL import Image

from tests import pictures
from tests.codec import bombs, boxes

WAYS: list[tuple[str, str, dict[str, Any]]] = [
    ("JPEG", "RGB", {"quality": 90}),
    ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
    ("JPEG", "L", {"restart_marker_rows": 1}),
    ("JPEG", "CMYK", {}),
    ("MPO", "RGB", {}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("PNG", "LA", {}),
    ("PNG", "P", {"bits": 4}),
    ("PNG", "P", {"transparency": 3}),
    ("PNG", "1", {}),
    ("PNG", "I;16", {}),
    ("GIF", "P", {}),
    ("GIF", "L", {"interlace": 0, "transparency": 7}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("AVIF", "RGB", {"speed": 10}),
    ("AVIF", "RGBA", {"speed": 10}),
    ("TIFF", "RGB", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("TIFF", "RGB", {"compression": "tiff_adobe_deflate", "big_tiff": True}),
    ("TIFF", "RGBA", {"compression": "packbits"}),
    ("TIFF", "CMYK", {}),
    ("TIFF", "1", {"compression": "group4"}),
    ("TIFF", "1", {"compression": "group3"}),
    ("TIFF", "I;16", {}),
    ("TIFF", "F", {}),
    ("TIFF", "LAB", {}),
    ("TIFF", "P", {"compression": "tiff_lzw"}),
    ("BMP", "RGB", {}),
    ("BMP", "P", {}),
    ("BMP", "1", {}),
]

_NOT_TAKEN = "BLP DDS DIB EPS ICNS ICO JPEG2000 MSP PCX PDF PPM QOI SGI SPIDER TGA WMF XBM"

_WORDS = {
    "nothing": b"",
    "a byte": b"\xff",
    "a line": b"hello\n",
    "html": b"<!doctype html><script>alert(1)</script>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "zip": b"PK\x03\x04" + bytes(60),
    "gzip": b"\x1f\x8b\x08" + bytes(60),
    "mp4": boxes.box(b"ftyp", b"isom", bytes(4), b"isommp42") + boxes.box(b"moov", bytes(100)),
    "heic": boxes.box(b"ftyp", b"heic", bytes(4), b"mif1heic") + boxes.box(b"meta", bytes(100)),
    "psd": b"8BPS\x00\x01" + bytes(100),
    "fits": b"SIMPLE  =                    T" + b" " * 2850,
    "emf": struct.pack("<II", 1, 108) + bytes(32) + b" EMF" + bytes(100),
    "fli": struct.pack("<IH", 200, 0xAF11) + bytes(200),
    "script": b"#!/bin/sh\nrm -rf /\n",
    "elf": b"\x7fELF" + bytes(100),
}


def in_mode(picture: Image.Image, mode: str) -> Image.Image:
    """Convert a picture, to a mode that Pillow does not reach in one step as well."""
    return picture.convert("L").convert(mode) if mode == "I;16" else picture.convert(mode)


def taken() -> dict[str, bytes]:
    """Make a small file of each way in which Pillow writes what is taken here."""
    made = {}
    for number, (kind, mode, options) in enumerate(WAYS):
        picture = in_mode(pictures.photograph((80, 60)), mode)
        made[f"{number:02} {kind} {mode}"] = pictures.encode(picture, kind, **options)
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        profile = pictures.swapped_profile()
        made[f"{kind} with words"] = pictures.gossiping(kind, (80, 60), icc_profile=profile)
    for kind in ("GIF", "PNG", "WEBP", "AVIF", "TIFF"):
        made[f"{kind} in motion"] = pictures.animation(kind, (40, 30))
    made["BMP in runs"] = bombs.bmp_of_runs(8, 8, b"\x08\x01\x00\x00" * 8 + b"\x00\x01")
    return made


def not_taken() -> dict[str, bytes]:
    """Make files of other kinds."""
    made = dict(_WORDS)
    for kind in _NOT_TAKEN.split():
        for mode in ("RGB", "RGBA", "L", "1"):
            try:
                made[kind] = pictures.encode(Image.new(mode, (64, 64)), kind)
            except (OSError, KeyError, ValueError):  # it does not go with that mode
                continue
            break
    return made


Change = Callable[[bytes, Random], bytes]


def _flip(whole: bytes, dice: Random) -> bytes:
    changed = bytearray(whole)
    for _ in range(dice.choice([1, 1, 2, 8, 64])):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _flip_in_head(whole: bytes, dice: Random) -> bytes:
    return _flip(whole[:200], dice) + whole[200:]


def _cut(whole: bytes, dice: Random) -> bytes:
    return whole[: dice.randrange(len(whole))]


def _cut_out(whole: bytes, dice: Random) -> bytes:
    start = dice.randrange(len(whole))
    return whole[:start] + whole[start + dice.randrange(1, 200) :]


def _repeat(whole: bytes, dice: Random) -> bytes:
    start = dice.randrange(len(whole))
    piece = whole[start : start + dice.randrange(1, 200)]
    return whole[:start] + piece * dice.randrange(2, 50) + whole[start:]


def _lie(whole: bytes, dice: Random) -> bytes:
    """Put a number where there may be a length, a count or a side."""
    width = dice.choice([1, 2, 4, 8])
    number = dice.choice([0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 2**31 - 1, 2**32 - 1])
    spelled = (number & ((1 << 8 * width) - 1)).to_bytes(
        width, "big" if dice.randrange(2) else "little"
    )
    start = dice.randrange(min(len(whole), dice.choice([64, 512, 1 << 30])))
    return whole[:start] + spelled + whole[start + width :]


def _swap(whole: bytes, dice: Random) -> bytes:
    """Change the order of the pieces that markers and names begin."""
    starts = [match.start() for match in re.finditer(rb"\xff[\xc0-\xfe]|[a-zA-Z]{4}", whole)]
    if len(starts) < 3:
        return whole[::-1]
    one, two, three = sorted(dice.sample(starts, 3))
    return whole[:one] + whole[two:three] + whole[one:two] + whole[three:]


def _pad(whole: bytes, dice: Random) -> bytes:
    return whole + dice.choice([bytes(100), b"<script>alert(1)</script>", whole, b"PK\x03\x04"])


CHANGES: list[Change] = [_flip, _flip_in_head, _cut, _cut_out, _repeat, _lie, _lie, _swap, _pad]


def hostile(count: int) -> Iterator[tuple[str, bytes]]:
    """Give so many files that something was done to, or two of which were made one."""
    sound = taken()
    everything = list({**sound, **not_taken()}.values())
    names = list(sound)
    for number in range(count):
        dice = Random(number)
        name = names[number % len(names)]
        whole = sound[name]
        if dice.randrange(12) == 0:
            other, start = dice.choice(everything), dice.randrange(len(whole))
            yield f"{name} and another {number}", whole[:start] + other
            continue
        for _ in range(dice.choice([1, 1, 2, 3])):
            whole = dice.choice(CHANGES)(whole, dice) or whole
        yield f"{name} changed {number}", whole
