"""AVIF bombs, built of boxes (ISO/IEC 14496-12 and 23008-12)."""

import struct

from PIL import Image

from tests import pictures


def box(name: bytes, *content: bytes) -> bytes:
    """Spell a box."""
    data = b"".join(content)
    return struct.pack(">I", 8 + len(data)) + name + data


def avif() -> bytes:
    """Make a small and sound AVIF."""
    return pictures.upload((64, 48), "AVIF")


def children(content: bytes) -> dict[bytes, bytes]:
    """Take the content of a box apart into the boxes in it."""
    found = {}
    while content:
        length, name = struct.unpack(">I4s", content[:8])
        found[name] = content[8:length]
        content = content[length:]
    return found


def avif_of(**added: bytes) -> bytes:
    """Put more into boxes of the `meta` box of a sound AVIF: its locations are not true then."""
    top = children(avif())
    inside = children(top[b"meta"][4:])
    for name, data in added.items():
        inside[name.encode()] = data
    meta = box(b"meta", bytes(4), *(box(name, data) for name, data in inside.items()))
    return box(b"ftyp", top[b"ftyp"]) + meta + box(b"mdat", top[b"mdat"])


def avif_of_items(count: int) -> bytes:
    """Announce so many items, and where each of them lies."""
    entries = b"".join(
        box(b"infe", bytes([3, 0, 0, 0]), struct.pack(">IH", 2 + n, 0), b"av01\0")
        for n in range(count)
    )
    places = b"".join(struct.pack(">IHHHII", 2 + n, 0, 0, 1, 0, 1) for n in range(count))
    return avif_of(
        iinf=bytes([1, 0, 0, 0]) + struct.pack(">I", count) + entries,
        iloc=bytes([2, 0, 0, 0]) + b"\x44\x00" + struct.pack(">I", count) + places,
    )


def avif_of_references(count: int) -> bytes:
    """Have items that do not exist refer to one another."""
    each = (box(b"dimg", struct.pack(">IHI", 2 + n, 1, 2 + n + 1)) for n in range(count))
    return avif_of(iref=bytes([1, 0, 0, 0]) + b"".join(each))


def avif_of_boxes(count: int) -> bytes:
    """Pile up boxes that nobody knows behind a picture."""
    return avif() + box(b"free") * count


def avif_of_samples(count: int) -> bytes:
    """Announce a film of so many frames."""
    whole = pictures.animation("AVIF")
    at = whole.index(b"stsz") + 4
    head, sizes = whole[:at], struct.pack(">III", 0, 1, count)
    return head + sizes + whole[at + 12 :]


def avif_that_says(said: tuple[int, int], is_so: tuple[int, int]) -> bytes:
    """Make an AVIF whose box for the size says something else than its pixels."""
    whole = pictures.encode(Image.new("RGB", is_so), "AVIF", speed=10)
    at = whole.index(b"ispe") + 8
    return whole[:at] + struct.pack(">II", *said) + whole[at + 8 :]
