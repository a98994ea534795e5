"""How keys lie in a folder: their files in folders, by how the names begin.

A folder is read whole or not at all, and a page of the listing must not cost more with every image.
So the file of `images/01a20700-0c73-....jpeg` lies, by this name, in `images/01/a2/07/00`. Names
begin with a time: the last of these folders has what came in within 65 seconds, 2**16 ms, and the
ones above it have 256 folders each at most.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from asgilook.store.base import UNFINISHED_PREFIX

_WIDTH = 2
"""How many characters of a name a folder stands for."""
_LENGTH = 4 * _WIDTH
"""How many of them are told by folders."""
_LOWEST = "-"
"""Sorts before all else that names are made of, and so makes short ones longer in their place."""
_TRIES = 100


class Tree:
    """The files of keys below `root`, in order. Raises `OSError`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, key: str) -> Path:
        """Tell where the file of a key is, or would be."""
        prefix, _, name = key.rpartition("/")
        return Path(self._root, prefix, *_pieces(_beginning(key)), name)

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        """Give the keys under a prefix that sort after another, in order."""
        after = max(after, prefix)
        return self._below(prefix, "", after) if after.startswith(prefix) else iter(())

    def add(self, file: str, key: str) -> None:
        """Let a file appear under a key, durably. Raises `FileExistsError` where it is taken."""
        path = self.path(key)
        for _ in range(_TRIES):
            # Whoever removes the last file of a folder removes the folder, this moment perhaps.
            with contextlib.suppress(FileNotFoundError):
                make_folder(path.parent)
                with _synced(path.parent) as folder:
                    _link(file, path, folder)
                return
        raise OSError(f"{path.parent} is removed again and again, or {file} is gone")

    def remove(self, key: str) -> None:
        """Remove the file of a key, durably, and the folders that are empty then."""
        path = self.path(key)
        with contextlib.suppress(FileNotFoundError), _synced(path.parent) as folder:
            os.unlink(path.name, dir_fd=folder)
        # One that is not empty stays; one that comes back in a crash does no harm.
        with contextlib.suppress(OSError):
            for each in path.parents[: len(_pieces(_beginning(key)))]:
                each.rmdir()

    def adopt(self, is_ours: Callable[[Path], bool]) -> None:
        """Put into their folders the files that a version without folders left beside them."""
        for path in self._root.glob("*/*"):
            place = self.path(path.relative_to(self._root).as_posix())
            # Another process may be at it, too; a move that is lost is made at the next start.
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and not place.exists() and is_ours(path):
                    make_folder(place.parent)
                    path.rename(place)

    def _below(self, prefix: str, begun: str, after: str) -> Iterator[str]:
        """Give the keys whose names begin so."""
        first = _beginning(after)
        folder = Path(self._root, prefix, *_pieces(begun))
        if len(begun) == len(first):
            keys = (prefix + name for name in _names(folder, os.DirEntry.is_file))
            # What somebody else put there may be out of its place, and so out of order.
            yield from (key for key in keys if key > after and _beginning(key) == begun)
            return
        pieces = (name for name in _names(folder, os.DirEntry.is_dir) if len(name) == _WIDTH)
        for longer in (begun + piece for piece in pieces):
            if longer >= first[: len(longer)]:
                yield from self._below(prefix, longer, after)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably, where they are not there.

    Who finds one that another has yet to sync may build on it: a journal keeps their order.
    """
    if not folder.exists():
        make_folder(folder.parent)
        # pathlib's `exist_ok` would raise where whoever made it has already removed it again.
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        with _synced(folder.parent):
            pass


def _link(file: str, path: Path, folder: int) -> None:
    """Let a file appear in a folder: a link, unlike a rename, takes no other file's place."""
    try:
        os.link(file, path.name, dst_dir_fd=folder)
    except FileExistsError:
        # On NFS the answer may be lost, and the link be asked for again (link(2), Bugs).
        if not path.samefile(file):
            raise


def _beginning(key: str) -> str:
    """Give as much of a key's name as is told by folders."""
    if key.startswith(UNFINISHED_PREFIX):
        return ""  # Of these there are never many.
    return key.rpartition("/")[2][:_LENGTH].ljust(_LENGTH, _LOWEST)


def _pieces(beginning: str) -> list[str]:
    return [beginning[start : start + _WIDTH] for start in range(0, len(beginning), _WIDTH)]


def _names(folder: Path, is_wanted: "Callable[[os.DirEntry[str]], bool]") -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if is_wanted(entry))
    except FileNotFoundError:
        return []


@contextlib.contextmanager
def _synced(folder: Path) -> Iterator[int]:
    """Hold a folder open; the names in it are durable afterwards, as its files are not enough.

    See fsync(2), Notes. Also where the work fails: what was found there may be as new. Held open,
    it can be synced though it was removed meanwhile.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
