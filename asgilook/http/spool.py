"""Files that uploads wait in. Each is locked while somebody is at work on it, however that ends.

So who starts can tell those that a killed process left, and removes them.
"""

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PREFIX = "asgilook-upload-"


@contextlib.contextmanager
def spool_file() -> Iterator[tuple[BinaryIO, Path]]:
    """Hold a new file open, in the folder for temporary files; it is gone after the block."""
    descriptor, path = _make_locked()
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - it has a descriptor already
            yield file, path
    finally:
        path.unlink(missing_ok=True)


def remove_leftovers() -> None:
    """Remove the files of processes that were killed; those of others stay."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # What is locked, somebody else's or gone already is none of our business.
        with contextlib.suppress(OSError):
            _remove_if_left(path)


def _make_locked() -> tuple[int, Path]:
    while True:
        descriptor, name = tempfile.mkstemp(prefix=PREFIX)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        # A process that started in this very moment took it for a leftover.
        os.close(descriptor)


def _remove_if_left(path: Path) -> None:
    # Anybody may put things there that hang who opens them, or lead elsewhere.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    finally:
        os.close(descriptor)
