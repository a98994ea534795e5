"""ICC profiles, spelled by hand (ICC.1:2001-04, the version that everything reads)."""

import struct
from collections.abc import Sequence

from tests.fidelity.ciede2000 import Lab
from tests.fidelity.spaces import D50, Space


def matrix_profile(space: Space) -> bytes:
    """Describe a space by its primaries and its curve."""
    columns = zip(*space.to_xyz(D50), strict=True)
    tags = {f"{name}XYZ": _xyz(column) for name, column in zip("rgb", columns, strict=True)}
    curves = {f"{name}TRC": _curve(space.gamma) for name in "rgb"}
    return _profile("mntr", "RGB ", "XYZ ", {**tags, **curves})


def grey_profile(gamma: float) -> bytes:
    """Describe greys by their curve."""
    return _profile("mntr", "GRAY", "XYZ ", {"kTRC": _curve(gamma)})


def table_profile(space: str, corners: Sequence[Lab]) -> bytes:
    """Describe a space by what its corners look like: the last ink changes fastest."""
    inputs = {"RGB ": 3, "CMYK": 4}[space]
    table = [part for corner in corners for part in _lab16(corner)]
    straight = [0, 65535]
    numbers = [*straight * inputs, *table, *straight * 3]
    head = struct.pack(">4sIBBBB", b"mft2", 0, inputs, 3, 2, 0)
    matrix = struct.pack(">9i", *[65536 * (place % 4 == 0) for place in range(9)])
    body = struct.pack(f">HH{len(numbers)}H", 2, 2, *numbers)
    return _profile("prtr", space, "Lab ", {"A2B0": head + matrix + body})


def _lab16(lab: Lab) -> tuple[int, int, int]:
    """Spell a colour as tables do (section 6.3.4.2): FF00 is a lightness of 100."""
    return round(lab[0] * 652.8), round((lab[1] + 128) * 256), round((lab[2] + 128) * 256)


def _profile(kind: str, space: str, connection: str, tags: dict[str, bytes]) -> bytes:
    tags = {"desc": _text("made up"), "wtpt": _xyz(D50), "cprt": b"text\0\0\0\0none\0", **tags}
    place = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name.encode(), place + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4xI4s4s4s12s4s28xiii48x",
        128 + len(table) + len(body),
        0x02400000,
        kind.encode(),
        space.encode(),
        connection.encode(),
        struct.pack(">6H", 2026, 1, 1, 0, 0, 0),
        b"acsp",
        *(round(part * 65536) for part in D50),
    )
    return head + table + body


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def _text(words: str) -> bytes:
    text = words.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
