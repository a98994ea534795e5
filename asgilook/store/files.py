"""A store in a local folder: the embedded default, and enough for one machine.

An object is one file, so that it appears and disappears whole. Its bytes come first and its
description behind them, as a trailer: every picture viewer opens the file as it is.
"""

import asyncio
import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from asgilook.byte_range import ByteRange
from asgilook.errors import ObjectExists, ObjectNotFound, StoreBroken, StoreUnavailable
from asgilook.ids import uuid7
from asgilook.store.base import (
    PIECE_BYTES,
    UNFINISHED_PREFIX,
    ObjectInfo,
    ObjectStream,
    Store,
)
from asgilook.store.tree import Tree, make_folder
from asgilook.timing import timed

_log = logging.getLogger(__name__)

_MAGIC = b"asgilook1"
_LENGTH_BYTES = 4
_TAIL_BYTES = _LENGTH_BYTES + len(_MAGIC)

T = TypeVar("T")


class FileStore(Store):
    """Objects as files below `root`, durable once `put` returns."""

    def __init__(self, root: Path) -> None:
        self._tree = Tree(root)
        # Outside the folders of the keys, where a scan would list it.
        self._workshop = root / UNFINISHED_PREFIX

    async def open_up(self) -> None:
        try:
            await _in_thread(lambda: self._tree.adopt(_is_ours))
        except StoreUnavailable as error:
            _log.warning("folder: what an earlier version left is not looked for: %s", error)

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        info = ObjectInfo(len(body), content_type, dict(metadata))
        try:
            await _in_thread(lambda: self._create(key, body, info))
        except ObjectNotFound as error:
            # What a put can miss is its place: a volume that is away, say.
            raise StoreUnavailable(str(error)) from error
        return info

    async def stat(self, key: str) -> ObjectInfo:
        def read_info() -> ObjectInfo:
            with self._tree.path(key).open("rb") as file:
                return _read_info(file)

        return await _in_thread(read_info)

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        return await _in_thread(lambda: _FileStream(self._tree.path(key).open("rb"), byte_range))

    async def scan(self, prefix: str, *, after: str = "", limit: int) -> list[str]:
        return await _in_thread(lambda: list(islice(self._tree.keys(prefix, after), limit)))

    async def delete(self, key: str) -> None:
        await _in_thread(lambda: self._tree.remove(key))

    def _create(self, key: str, body: bytes, info: ObjectInfo) -> None:
        make_folder(self._workshop)
        # By its name one can tell for how long a leftover has been lying there.
        with tempfile.NamedTemporaryFile(dir=self._workshop, prefix=f"{uuid7()}-") as file:
            file.write(body)
            file.write(_trailer(info))
            file.flush()
            os.fsync(file.fileno())
            self._tree.add(file.name, key)


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
    if start < 0:
        raise StoreBroken("a description that is longer than its file")
    file.seek(start)
    try:
        described = json.loads(file.read(length))
        return ObjectInfo(start, described["content_type"], described["metadata"])
    except (KeyError, TypeError, ValueError) as error:
        raise StoreBroken(f"a description that makes no sense: {error!r}") from error


def _is_ours(path: Path) -> bool:
    with contextlib.suppress(ObjectNotFound, StoreBroken), path.open("rb") as file:
        return bool(_read_info(file))
    return False


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
