"""The first directory of a TIFF (TIFF 6.0, section 2, and BigTIFF): where it says what it is."""

import mmap
import struct
from dataclasses import dataclass

MAX_LENGTH = 65_535
"""What a BigTIFF has beyond that is not looked at."""

_FORMATS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_BYTES = {1: 1, 2: 1, 6: 1, 7: 1, 3: 2, 8: 2, 4: 4, 9: 4, 11: 4, 13: 4}


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """What stands of a tag in the directory."""

    kind: int
    count: int
    at: int
    """Where its values are; or where it says where they are, if they do not fit there."""

    @property
    def value_bytes(self) -> int:
        """Tell how long each of its values is."""
        return _BYTES.get(self.kind, 8)


class Directory:
    """Reads the directory, and values of whole numbers. Raises `struct.error` where it is cut."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._order = "<" if data[:2] == b"II" else ">"
        self._is_big = b"\x2b" in data[2:4]
        (start,) = self._read("Q", 8) if self._is_big else self._read("I", 4)
        (self.length,) = self._read("Q" if self._is_big else "H", start)
        head, fields, step = (8, "HHQ", 20) if self._is_big else (2, "HHI", 12)
        self._by_tag: dict[int, DirectoryEntry] = {}
        for position in range(
            start + head, start + head + step * min(self.length, MAX_LENGTH), step
        ):
            tag, kind, values = self._read(fields, position)
            at = position + struct.calcsize("=" + fields)
            self._by_tag.setdefault(tag, DirectoryEntry(kind, values, at))

    @property
    def entries(self) -> list[DirectoryEntry]:
        """Give what stands of each tag; of one that is there twice the first counts."""
        return list(self._by_tag.values())

    def values(self, tag: int) -> tuple[int, ...]:
        """Give the whole numbers under a tag; none where there are none."""
        entry = self._by_tag.get(tag)
        if entry is None or entry.kind not in _FORMATS:
            return ()
        at, letter = entry.at, "Q" if self._is_big else "I"
        if entry.count * entry.value_bytes > struct.calcsize("=" + letter):
            (at,) = self._read(letter, at)
        return self._read(f"{entry.count}{_FORMATS[entry.kind]}", at)

    def _read(self, fields: str, position: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + fields, self._data, position)
