"""A part of an object, as clients ask for it and as stores deliver it."""

from dataclasses import dataclass

from asgilook.errors import RangeUnsatisfiable


@dataclass(frozen=True, slots=True)
class Span:
    """A range that exists: bytes `first` to `last`, both included, of `total_bytes`."""

    first: int
    last: int
    total_bytes: int

    @property
    def length(self) -> int:
        """Count the bytes of the span."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        """Spell the span as a `Content-Range` (RFC 9110, section 14.4)."""
        return f"bytes {self.first}-{self.last}/{self.total_bytes}"


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range that is asked for (RFC 9110, section 14.1.2).

    `first` without `last` is everything from there on; `first` of None is a suffix: the `last`
    bytes of the object.
    """

    first: int | None
    last: int | None = None

    def __str__(self) -> str:
        """Spell the range as the value of a `Range` field."""
        first = "" if self.first is None else self.first
        last = "" if self.last is None else self.last
        return f"bytes={first}-{last}"

    def within(self, total_bytes: int) -> Span:
        """Cut the range to an object's size.

        Raises `RangeUnsatisfiable` where nothing of it lies inside.
        """
        end = total_bytes - 1
        if self.first is None:
            first, last = max(0, total_bytes - (self.last or 0)), end
        else:
            first, last = self.first, end if self.last is None else min(self.last, end)
        if first > last:
            raise RangeUnsatisfiable(total_bytes)
        return Span(first, last, total_bytes)
