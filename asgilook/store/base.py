"""The promises that every store keeps; no implementation repeats them.

`tests/contracts/test_store.py` and `test_scan.py` hold each implementation to them.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from asgilook.byte_range import ByteRange, Span

PIECE_BYTES = 64 * 1024
"""How much of an object is in memory at a time while it streams."""

UNFINISHED_PREFIX = "unfinished/"
"""Under what keys a store may have objects that are not whole yet: an id and more each."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a store knows of an object without reading it."""

    length_bytes: int
    content_type: str
    metadata: Mapping[str, str]


class ObjectStream(AsyncIterator[bytes]):
    """An object, or a part of it, on its way out.

    An original may be larger than what anyone wants in memory: `rest` is for who made room for it.
    A `read` would make it a file to Falcon. It holds a connection or a file until it is read to its
    end or closed; closing twice is fine.
    """

    info: ObjectInfo
    """Describes the whole object, also where only a part is delivered."""

    span: Span | None
    """The part that is delivered, or None for the whole object."""

    @property
    def length_bytes(self) -> int:
        """Count the bytes that the stream delivers."""
        return self.span.length if self.span else self.info.length_bytes

    @abstractmethod
    async def __anext__(self) -> bytes:
        """Deliver the next piece, of at most `PIECE_BYTES`; close at the end or on failure.

        Raises `StoreUnavailable` in mid-body where the store fails then: what came before is the
        beginning of the object, and there is no more.
        """

    async def rest(self) -> bytes:
        """Deliver all that is left in one piece. Raises `StoreUnavailable`."""
        return b"".join([piece async for piece in self])

    @abstractmethod
    async def close(self) -> None:
        """Give back whatever the stream holds, read to its end or not."""

    async def __aenter__(self) -> Self:
        """Hold the stream open for a block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the stream at the block's end."""
        await self.close()


class Store(ABC):
    """Objects under keys, for ever or until deleted.

    Keys are made of `[a-z0-9_/-]`, with a `.` only before the extension and no segment over 200
    bytes: that much is safe on every engine. A missing key raises `ObjectNotFound`; trouble of
    the store's own raises `StoreUnavailable` or one of its kinds, within a bounded time.
    """

    async def open_up(self) -> None:  # noqa: B027 - not every store has something to open
        """Get ready for use, once, inside the event loop that will use the store.

        A store that cannot be reached is no reason to fail here: it may be back in a moment.
        """

    async def close(self) -> None:  # noqa: B027 - nor to close
        """Let go of connections and files, once, when nothing uses the store any more."""

    @abstractmethod
    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        """Create an object: when this returns it is durable and visible to everyone, whole.

        `metadata` is ASCII, names in lower case, under 2 KB in all. Raises `ObjectExists` where
        the key is taken: nothing is ever overwritten.
        """

    @abstractmethod
    async def stat(self, key: str) -> ObjectInfo:
        """Describe an object."""

    @abstractmethod
    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        """Start to deliver an object, or a part of it.

        Raises `RangeUnsatisfiable` where the range lies outside the object.
        """

    @abstractmethod
    async def scan(self, prefix: str, *, after: str = "", limit: int) -> list[str]:
        """List keys that start with `prefix` and sort after `after`, in order, `limit` at most.

        `prefix` ends with `/` and the keys below it contain no further `/`: engines differ in how
        they order across folders. `limit` is 1000 at most; however much there is, it is one
        request, unless an engine gives fewer than it has.
        """

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Remove an object; a key that is not there is removed already."""
