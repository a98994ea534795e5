"""A store whose requests are timed and whose failures are counted."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from asgilook.byte_range import ByteRange
from asgilook.errors import StoreBroken, StoreRefused, StoreTimeout, StoreUnavailable
from asgilook.metrics import Meter
from asgilook.metrics.catalogue import S3_ERRORS, S3_SECONDS
from asgilook.store.base import ObjectInfo, ObjectStream, Store

_KINDS: dict[type[StoreUnavailable], str] = {
    StoreBroken: "broken",
    StoreRefused: "refused",
    StoreTimeout: "timeout",
    StoreUnavailable: "unavailable",
}


class MeteredStore(Store):
    """Passes everything on to another store."""

    def __init__(self, store: Store, meter: Meter) -> None:
        self._store = store
        self._meter = meter
        for op in ("put", "stat", "open", "read", "scan", "delete"):
            for kind in _KINDS.values():
                meter.place(S3_ERRORS, op, kind)

    async def open_up(self) -> None:
        await self._store.open_up()

    async def close(self) -> None:
        await self._store.close()

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        with self._metered("put"):
            return await self._store.put(key, body, content_type=content_type, metadata=metadata)

    async def stat(self, key: str) -> ObjectInfo:
        with self._metered("stat"):
            return await self._store.stat(key)

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        with self._metered("open"):
            stream = await self._store.open(key, byte_range)
        return _MeteredStream(stream, partial(self._count, "read"))

    async def scan(self, prefix: str, *, after: str = "", limit: int) -> list[str]:
        with self._metered("scan"):
            return await self._store.scan(prefix, after=after, limit=limit)

    async def delete(self, key: str) -> None:
        with self._metered("delete"):
            await self._store.delete(key)

    @contextmanager
    def _metered(self, op: str) -> Iterator[None]:
        try:
            with self._meter.timed(S3_SECONDS, op):
                yield
        except StoreUnavailable as error:
            # That an object is not there is an answer like any other.
            self._count(op, error)
            raise

    def _count(self, op: str, error: StoreUnavailable) -> None:
        self._meter.count(S3_ERRORS, op, _KINDS.get(type(error), "unavailable"))


class _MeteredStream(ObjectStream):
    """An object that may yet fail in the middle. `failed` is told with what."""

    def __init__(self, stream: ObjectStream, failed: Callable[[StoreUnavailable], None]) -> None:
        self.info = stream.info
        self.span = stream.span
        self._stream = stream
        self._failed = failed

    async def __anext__(self) -> bytes:
        # Without a context manager: an original has one piece for each 64 KiB.
        try:
            return await anext(self._stream)
        except StoreUnavailable as error:
            self._failed(error)
            raise

    async def rest(self) -> bytes:
        try:
            return await self._stream.rest()
        except StoreUnavailable as error:
            self._failed(error)
            raise

    async def close(self) -> None:
        await self._stream.close()
