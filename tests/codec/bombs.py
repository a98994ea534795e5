"""Files that are small and cost much, each built to the letter of its format."""

import struct
from io import BytesIO
from zlib import compress, crc32

from PIL import Image


def webp(side: int) -> bytes:
    """Make a lossless WebP of `side` pixels squared, all alike, in 40 bytes."""
    size = struct.pack("<I", (side - 1) | (side - 1) << 14)
    # No transforms, no cache, and five codes of a single symbol each (RFC 9649, section 3.7).
    codes = sum(0b0001 << (3 + 4 * number) for number in range(5))
    head = b"\x2f" + size + codes.to_bytes(11, "little")
    chunk = b"VP8L" + struct.pack("<I", len(head)) + head
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def jpeg(side: int, marker: int = 0xC2) -> bytes:
    """Announce a progressive JPEG of `side` pixels squared, and end it there."""
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    frame = struct.pack(">BHHB", 8, side, side, 3) + components
    return (
        b"\xff\xd8\xff" + bytes([marker]) + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xd9"
    )


def png(side: int) -> bytes:
    """Announce a PNG of `side` pixels squared, and bring a few of them."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", compress(bytes(64))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def png_of_chunks(count: int) -> bytes:
    """Pile up empty chunks that nobody knows."""
    sound = png(16)
    end_of_header = 8 + 25
    return sound[:end_of_header] + _chunk(b"juNk", b"") * count + sound[end_of_header:]


def jpeg_of_scans(count: int, side: int = 2000) -> bytes:
    """Repeat the last scan of a progressive JPEG, so that each one is decoded anew."""
    file = BytesIO()
    Image.new("L", (side, side), 128).save(file, "JPEG", progressive=True)
    whole = file.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + whole[-2:]


def frames(kind: str, count: int) -> bytes:
    """Put one small picture behind the other."""
    first, *others = (Image.new("RGB", (64, 48), (n % 256, 0, 0)) for n in range(count))
    file = BytesIO()
    first.save(file, kind, save_all=True, append_images=others)
    return file.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc32(name + data))
