"""Honest stand-ins: a store in memory, and one that fails where it is told to.

`contracts/test_store.py` holds the first to the very promises that the real stores keep. A cache
in memory needs no fake: `MemoryCache` is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from asgilook.byte_range import ByteRange
from asgilook.errors import ObjectExists, ObjectNotFound, StoreUnavailable
from asgilook.store.base import PIECE_BYTES, ObjectInfo, ObjectStream, Store

Call = Literal["put", "stat", "open", "read", "scan", "delete"]
"""What can fail: the methods of a store, and the reading of a stream, in mid-body."""


class MemoryStore(Store):
    """Objects in a dictionary; counts the streams that nobody has closed."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[ObjectInfo, bytes]] = {}
        self.open_streams = 0

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        if key in self.objects:
            raise ObjectExists(key)
        info = ObjectInfo(len(body), content_type, dict(metadata))
        self.objects[key] = info, body
        return info

    async def stat(self, key: str) -> ObjectInfo:
        info, _ = self._find(key)
        return info

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        info, body = self._find(key)
        return _MemoryStream(self, info, body, byte_range)

    async def scan(self, prefix: str, *, after: str = "", limit: int) -> list[str]:
        found = (key for key in sorted(self.objects) if key.startswith(prefix) and key > after)
        return list(islice(found, limit))

    async def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def _find(self, key: str) -> tuple[ObjectInfo, bytes]:
        try:
            return self.objects[key]
        except KeyError:
            raise ObjectNotFound(key) from None


class _MemoryStream(ObjectStream):
    def __init__(
        self, store: MemoryStore, info: ObjectInfo, body: bytes, byte_range: ByteRange | None
    ) -> None:
        self.info = info
        self.span = byte_range.within(len(body)) if byte_range else None
        start = self.span.first if self.span else 0
        self._left = memoryview(body)[start : start + self.length_bytes]
        self._store = store
        self._store.open_streams += 1
        self._is_open = True

    async def __anext__(self) -> bytes:
        piece = bytes(self._left[:PIECE_BYTES])
        if not piece:
            await self.close()
            raise StopAsyncIteration
        self._left = self._left[PIECE_BYTES:]
        return piece

    async def close(self) -> None:
        self._store.open_streams -= self._is_open
        self._is_open = False


@dataclass
class Broken(Store):
    """A store whose calls of one kind fail, for keys that start with `prefix`.

    Set `on` to None to mend it.
    """

    store: Store
    on: Call | None
    prefix: str = ""
    kind: type[StoreUnavailable] = StoreUnavailable

    async def open_up(self) -> None:
        await self.store.open_up()

    async def close(self) -> None:
        await self.store.close()

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        self._fail("put", key)
        return await self.store.put(key, body, content_type=content_type, metadata=metadata)

    async def stat(self, key: str) -> ObjectInfo:
        self._fail("stat", key)
        return await self.store.stat(key)

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        self._fail("open", key)
        stream = await self.store.open(key, byte_range)
        return _CutStream(stream) if self._fails("read", key) else stream

    async def scan(self, prefix: str, *, after: str = "", limit: int) -> list[str]:
        self._fail("scan", prefix)
        return await self.store.scan(prefix, after=after, limit=limit)

    async def delete(self, key: str) -> None:
        self._fail("delete", key)
        await self.store.delete(key)

    def _fails(self, call: Call, key: str) -> bool:
        return self.on == call and key.startswith(self.prefix)

    def _fail(self, call: Call, key: str) -> None:
        if self._fails(call, key):
            raise self.kind(f"told to fail: {call} {key}")


class Unheard(Broken):
    """A store that does what it is asked to put, and says that it could not."""

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        info = await self.store.put(key, body, content_type=content_type, metadata=metadata)
        self._fail("put", key)
        return info


class _CutStream(ObjectStream):
    """Delivers a part of the first piece, and breaks off."""

    def __init__(self, stream: ObjectStream) -> None:
        self.info = stream.info
        self.span = stream.span
        self._stream = stream
        self._is_cut = False

    async def __anext__(self) -> bytes:
        if self._is_cut:
            await self.close()
            raise StoreUnavailable("told to fail in mid-body")
        self._is_cut = True
        piece = await anext(self._stream)
        return piece[: len(piece) // 2]

    async def close(self) -> None:
        await self._stream.close()
