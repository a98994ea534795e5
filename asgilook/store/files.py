"""A store in a local folder: the embedded default, and enough for one machine.

An object is one file, so that it appears and disappears whole. Its bytes come first and its
description behind them, as a trailer: every picture viewer opens the file as it is.
"""

import asyncio
import contextlib
import heapq
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, TypeVar

from asgilook.byte_range import ByteRange
from asgilook.errors import ObjectExists, ObjectNotFound, StoreUnavailable
from asgilook.ids import uuid7
from asgilook.store.base import (
    PIECE_BYTES,
    UNFINISHED_PREFIX,
    ObjectInfo,
    ObjectStream,
    Store,
)
from asgilook.timing import timed

_MAGIC = b"asgilook1"
_LENGTH_BYTES = 4
_TAIL_BYTES = _LENGTH_BYTES + len(_MAGIC)

T = TypeVar("T")


class FileStore(Store):
    """Objects as files below `root`, durable once `put` returns."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        info = ObjectInfo(len(body), content_type, dict(metadata))
        await _in_thread(lambda: self._create(self._path(key), body, info))
        return info

    async def stat(self, key: str) -> ObjectInfo:
        def read_info() -> ObjectInfo:
            with self._path(key).open("rb") as file:
                return _read_info(file)

        return await _in_thread(read_info)

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        return await _in_thread(lambda: _FileStream(self._path(key).open("rb"), byte_range))

    async def scan(self, prefix: str, *, after: str = "", limit: int) -> list[str]:
        folder = self._root / prefix

        def read_folder() -> list[str]:
            try:
                entries = os.scandir(folder)
            except FileNotFoundError:
                return []
            with entries:
                keys = (prefix + entry.name for entry in entries)
                return heapq.nsmallest(limit, (key for key in keys if key > after))

        return await _in_thread(read_folder)

    async def delete(self, key: str) -> None:
        path = self._path(key)

        def remove() -> None:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                _sync_folder(path.parent)

        await _in_thread(remove)

    def _path(self, key: str) -> Path:
        return self._root / key

    def _create(self, path: Path, body: bytes, info: ObjectInfo) -> None:
        _make_folder(path.parent)
        # Outside the folder of the key, where a scan would list it.
        workshop = self._root / UNFINISHED_PREFIX
        _make_folder(workshop)
        # By its name one can tell for how long a leftover has been lying there.
        with tempfile.NamedTemporaryFile(dir=workshop, prefix=f"{uuid7()}-") as file:
            file.write(body)
            file.write(_trailer(info))
            file.flush()
            os.fsync(file.fileno())
            try:
                # A link, unlike a rename, refuses to take the place of another file.
                os.link(file.name, path)
            finally:
                # Also where another was faster: it may not have come to this yet.
                _sync_folder(path.parent)


class _FileStream(ObjectStream):
    def __init__(self, file: BinaryIO, byte_range: ByteRange | None) -> None:
        self._file = file
        try:
            self.info = _read_info(file)
            self.span = byte_range.within(self.info.length_bytes) if byte_range else None
        except BaseException:
            file.close()
            raise
        self._position = self.span.first if self.span else 0
        self._left = self.length_bytes
        self._piece_bytes = PIECE_BYTES

    async def __anext__(self) -> bytes:
        piece = b""
        try:
            length = min(self._piece_bytes, self._left)
            if length:
                piece = await _in_thread(
                    lambda: os.pread(self._file.fileno(), length, self._position)
                )
                if not piece:
                    raise StoreUnavailable("a file ended before its time")
        finally:
            if not piece:
                self._file.close()
        if not piece:
            raise StopAsyncIteration
        self._position += len(piece)
        self._left -= len(piece)
        return piece

    async def rest(self) -> bytes:
        self._piece_bytes = self._left  # each piece is a way to another thread and back
        return await super().rest()

    async def close(self) -> None:
        self._file.close()


def _trailer(info: ObjectInfo) -> bytes:
    described = {"content_type": info.content_type, "metadata": info.metadata}
    text = json.dumps(described, sort_keys=True).encode()
    return text + len(text).to_bytes(_LENGTH_BYTES) + _MAGIC


def _read_info(file: BinaryIO) -> ObjectInfo:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _TAIL_BYTES))
    tail = file.read()
    if tail[_LENGTH_BYTES:] != _MAGIC:
        raise ObjectNotFound("a file in the folder that this service did not write")
    length = int.from_bytes(tail[:_LENGTH_BYTES])
    start = end - _TAIL_BYTES - length
    file.seek(start)
    described = json.loads(file.read(length))
    return ObjectInfo(start, described["content_type"], described["metadata"])


def _make_folder(folder: Path) -> None:
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, not only the files behind them (fsync(2), Notes)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def _in_thread(work: Callable[[], T]) -> T:
    with _as_store_errors(), timed("files"):
        return await asyncio.to_thread(work)


@contextlib.contextmanager
def _as_store_errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectNotFound(str(error)) from error
    except FileExistsError as error:
        raise ObjectExists(str(error)) from error
    except OSError as error:
        raise StoreUnavailable(str(error)) from error
