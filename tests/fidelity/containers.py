"""Files written by hand, where Pillow does not write what it reads."""

import struct
from collections.abc import Mapping, Sequence
from zlib import compress, crc32

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_ADAM7 = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
]
"""Where each pass starts, and its steps: x and y (PNG 3, section 8)."""

Size = tuple[int, int]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))


def png(size: Size, depth: int, colour_type: int, rows: Sequence[bytes], *extra: bytes) -> bytes:
    """Write a PNG of rows as they lie in the file, with chunks between header and pixels."""
    head = struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, 0)
    pixels = compress(b"".join(b"\0" + row for row in rows))
    chunks = [chunk(b"IHDR", head), *extra, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return PNG_SIGNATURE + b"".join(chunks)


def interlaced_png(size: Size, rgb: bytes) -> bytes:
    """Write a PNG in seven passes."""
    head = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 1)
    lines = []
    for left, top, step_x, step_y in _ADAM7:
        for y in range(top, size[1], step_y):
            places = (3 * (y * size[0] + x) for x in range(left, size[0], step_x))
            if line := b"".join(rgb[place : place + 3] for place in places):
                lines.append(b"\0" + line)
    chunks = [chunk(b"IHDR", head), chunk(b"IDAT", compress(b"".join(lines))), chunk(b"IEND", b"")]
    return PNG_SIGNATURE + b"".join(chunks)


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """Put chunks behind the header of a PNG."""
    return png[:33] + b"".join(chunks) + png[33:]


def with_segments(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    """Put segments at the start of a JPEG: the last byte of a marker, and the data."""
    spelled = (struct.pack(">BBH", 255, marker, len(data) + 2) + data for marker, data in segments)
    return jpeg[:2] + b"".join(spelled) + jpeg[2:]


def tiff(
    size: Size,
    pieces: Sequence[bytes],
    bits: Sequence[int],
    tags: Mapping[int, Sequence[int]] | None = None,
    order: str = "<",
) -> bytes:
    """Write a TIFF of strips or tiles as they lie in the file; `tags` say what is special."""
    places = [8 + sum(map(len, pieces[:number])) for number in range(len(pieces))]
    is_tiled = tags is not None and 322 in tags
    fields: dict[int, Sequence[int]] = {
        256: [size[0]],
        257: [size[1]],
        258: bits,
        259: [1],
        262: [2 if len(bits) > 2 else 1],
        277: [len(bits)],
        **({324: places, 325: list(map(len, pieces))} if is_tiled else {}),
        **({} if is_tiled else {273: places, 278: [size[1]], 279: list(map(len, pieces))}),
        **(tags or {}),
    }
    body = b"".join(pieces)
    body += bytes(len(body) % 2)
    directory, far = b"", b""
    far_start = 8 + len(body) + 2 + 12 * len(fields) + 4
    for tag, values in sorted(fields.items()):
        data = struct.pack(f"{order}{len(values)}I", *values)
        if len(data) > 4:
            data, far = struct.pack(f"{order}I", far_start + len(far)), far + data
        directory += struct.pack(f"{order}HHI", tag, 4, len(values)) + data
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8 + len(body))
    return head + body + struct.pack(f"{order}H", len(fields)) + directory + bytes(4) + far


def bmp(  # noqa: PLR0913 - what a header tells
    size: Size,
    bits: int,
    rows: bytes,
    *,
    compression: int = 0,
    masks: Sequence[int] = (),
    palette: bytes = b"",
    is_top_down: bool = False,
) -> bytes:
    """Write a BMP of rows as they lie in the file, padding and all."""
    extra = struct.pack(f"<{len(masks)}I", *masks) + palette
    height = -size[1] if is_top_down else size[1]
    head = struct.pack(
        "<IiiHHIIiiII",
        40,
        size[0],
        height,
        1,
        bits,
        compression,
        len(rows),
        0,
        0,
        len(palette) // 4,
        0,
    )
    start = 14 + len(head) + len(extra)
    return struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start) + head + extra + rows
