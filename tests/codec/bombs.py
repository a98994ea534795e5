"""Files that are small and cost much, each built to the letter of its format.

Those made of boxes, the cousins of MP4, are in `boxes.py`.
"""

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
    return _riff(_riff_chunk(b"VP8L", head))


def webp_of_chunks(count: int, data: bytes = b"") -> bytes:
    """Pile up chunks that nobody knows behind a picture, empty ones at first."""
    extended = _riff_chunk(b"VP8X", struct.pack("<I", 0) + (15).to_bytes(3, "little") * 2)
    picture = webp(16)[12:]
    return _riff(extended + picture + _riff_chunk(b"juNk", data) * count)


def webp_of_frames(count: int) -> bytes:
    """Make an animation of so many frames, each in as few bytes as can be."""
    canvas = (15).to_bytes(3, "little") * 2
    extended = _riff_chunk(b"VP8X", struct.pack("<I", 2) + canvas)
    place = bytes(6) + canvas + bytes(4)
    frame = _riff_chunk(b"ANMF", place + webp(16)[12:])
    return _riff(extended + _riff_chunk(b"ANIM", bytes(6)) + frame * count)


def jpeg(side: int, marker: int = 0xC2, bits: int = 8) -> bytes:
    """Announce a JPEG of `side` pixels squared, a progressive one at first, and end it there."""
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    frame = struct.pack(">BHHB", bits, side, side, 3) + components
    return b"\xff\xd8" + _segment(marker, frame) + b"\xff\xd9"


def jpeg_of_scans(count: int, side: int = 2000) -> bytes:
    """Repeat the last scan of a progressive JPEG, so that each one is decoded anew."""
    whole = _jpeg(Image.new("L", (side, side), 128), progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + whole[-2:]


def jpeg_of_thick_scans(side: int) -> bytes:
    """Repeat a scan that brings something for every block, as often as it may be."""
    whole = _jpeg(Image.effect_noise((side, side), 200), progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * 90 + whole[-2:]


def jpeg_of_segments(
    count: int, marker: int = 0xFE, data: bytes = b"", start: bytes = b""
) -> bytes:
    """Pile up comments, or other segments, in front of a picture, behind such a start."""
    sound = _jpeg(Image.new("L", (16, 16)))
    return sound[:2] + start + _segment(marker, data) * count + sound[2:]


def jpeg_of_junk(junk: bytes) -> bytes:
    """Put something between the segments of a picture that is none."""
    sound = _jpeg(Image.new("L", (16, 16)))
    return sound[:20] + junk + sound[20:]


def jpeg_of_restarts(count: int) -> bytes:
    """Follow a picture's only scan with markers that mean nothing there."""
    sound = _jpeg(Image.new("L", (16, 16)), progressive=True)
    return sound[:-2] + b"\xff\xd0" * count + sound[-2:]


def png(side: int) -> bytes:
    """Announce a PNG of `side` pixels squared, and bring a few of them."""
    return _png(side, side, compress(bytes(64)))


def png_of_nothing(side: int) -> bytes:
    """Make a whole PNG of grey pixels, all black."""
    return _png(side, side, compress(bytes((side + 1) * side), 9), colour_type=0)


def png_of_chunks(count: int) -> bytes:
    """Pile up empty chunks that nobody knows."""
    return _png(16, 16, compress(bytes(49 * 16)), chunk(b"juNk", b"") * count)


def png_of_text(kind: bytes, length: int, count: int = 1) -> bytes:
    """Bring so much text, packed, in each of `count` chunks: zTXt, iTXt or iCCP."""
    head = {b"iTXt": b"a\0\1\0\0\0"}.get(kind, b"a\0\0")
    return _png(
        16, 16, compress(bytes(49 * 16)), chunk(kind, head + compress(bytes(length))) * count
    )


def exif_of_entries(count: int, padding: int = 0) -> bytes:
    """Make EXIF of so many entries, all of them of a kind that lies elsewhere, and alike."""
    entries = b"".join(struct.pack("<HHII", 0x8000 + n % 0x7000, 7, 64, 8) for n in range(count))
    return b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4 + padding)


def exif_of_orientations(count: int) -> bytes:
    """Make EXIF that tells of so many orientations, in one entry."""
    entry = struct.pack("<HHII", 0x0112, 4, count, 26)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4 * count + 4)


def png_of_exif(exif: bytes) -> bytes:
    """Give a PNG this EXIF."""
    return _png(16, 16, compress(bytes(49 * 16)), chunk(b"eXIf", exif))


def tiff(*entries: tuple[int, int, int, int], data: bytes = b"", next_at: int = 0) -> bytes:
    """Make a TIFF of a directory with these entries (tag, type, count, value) and data behind."""
    listed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + listed + struct.pack("<I", next_at)
    return head + data


def tiff_of_strips(side: int, data: bytes, compression: int = 1, rows: int = 1) -> bytes:
    """Make a grey TIFF whose strips are one and the same piece of data."""
    count = -(-side // rows)
    start = 8 + 2 + 12 * 8 + 4
    piece_at = start + 8 * count if count > 1 else start
    lists = struct.pack("<I", piece_at) * count + struct.pack("<I", len(data)) * count
    return tiff(
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 4, count, start if count > 1 else piece_at),
        (278, 4, 1, rows),
        (279, 4, count, start + 4 * count if count > 1 else len(data)),
        data=(lists if count > 1 else b"") + data,
    )


def tiff_of_values(count: int) -> bytes:
    """Tell of so many strips, all of them empty, in a picture of a few pixels."""
    lists = 8 + 2 + 12 * 8 + 4
    return tiff(
        (256, 4, 1, 16),
        (257, 4, 1, 16),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, count, lists),
        (278, 4, 1, 1),
        (279, 4, count, lists),
        data=bytes(4 * count),
    )


def tiff_of_a_tile(side: int, tile_side: int) -> bytes:
    """Make a small grey TIFF of a single tile that goes far beyond it."""
    data = compress(bytes(tile_side * tile_side), 9)
    return tiff(
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, 1, 8),
        (259, 3, 1, 8),
        (262, 3, 1, 1),
        (322, 4, 1, tile_side),
        (323, 4, 1, tile_side),
        (324, 4, 1, 8 + 2 + 12 * 9 + 4),
        (325, 4, 1, len(data)),
        data=data,
    )


def tiff_in_a_loop() -> bytes:
    """Make a TIFF whose directory is followed by itself."""
    whole = bytearray(tiff_of_strips(16, bytes(16)))
    whole[8 + 2 + 12 * 8 : 8 + 2 + 12 * 8 + 4] = struct.pack("<I", 8)
    return bytes(whole)


def bmp_of_runs(width: int, height: int, runs: bytes) -> bytes:
    """Make a BMP in run-length encoding (compression 1) out of these runs."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    start = 14 + len(info) + 1024
    head = b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start)
    return head + info + bytes(1024) + runs


def gif_of_comments(count: int) -> bytes:
    """Pile up comments in front of a picture."""
    file = BytesIO()
    Image.new("L", (16, 16)).save(file, "GIF")
    whole = file.getvalue()
    start = 13 + 3 * 2 ** ((whole[10] & 7) + 1)
    return whole[:start] + b"\x21\xfe\x01a\0" * count + whole[start:]


def gif_of_nothing(width: int, height: int) -> bytes:
    """Make a GIF of pixels that are all alike."""
    file = BytesIO()
    Image.new("L", (width, height)).save(file, "GIF")
    return file.getvalue()


def frames(kind: str, count: int) -> bytes:
    """Put one small picture behind the other."""
    first, *others = (Image.new("RGB", (64, 48), (n % 256, 0, 0)) for n in range(count))
    file = BytesIO()
    first.save(file, kind, save_all=True, append_images=others)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """Spell a chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc32(name + data))


def _png(width: int, height: int, data: bytes, more: bytes = b"", colour_type: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + more + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _segment(marker: int, data: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def _jpeg(picture: Image.Image, **options: bool) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", **options)
    return file.getvalue()


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _riff_chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
