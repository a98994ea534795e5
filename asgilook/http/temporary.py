"""What lies in the folder for temporary files, locked while somebody is at work on it.

So however that ends, who starts can tell what a killed process left, and removes it.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from asgilook import config

UPLOAD = "asgilook-upload-"
METRICS = "asgilook-metrics-"
"""How the names of a file and of a folder begin."""


@contextlib.contextmanager
def upload_file() -> Iterator[tuple[BinaryIO, Path]]:
    """Hold a new file open for an upload to wait in; it is gone after the block."""
    descriptor, path = _locked(lambda: tempfile.mkstemp(prefix=UPLOAD))
    file = open(descriptor, "wb")  # noqa: PTH123, SIM115 - it has a descriptor already
    try:
        yield file, path
    finally:
        # What a full disk did not take is tried once more here, and was told already.
        with contextlib.suppress(OSError):
            file.close()
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def metrics_folder() -> Iterator[Path]:
    """Give a new folder for numbers; it is gone after the block, with all that is in it."""
    remove_leftovers()
    descriptor, path = _locked(_make_folder)
    try:
        yield path
    finally:
        # Somebody may have removed it, or be at it: whoever asks at the end for the numbers.
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def remove_leftovers() -> None:
    """Remove what belongs to processes that were killed; what is others' stays."""
    # First where they may be what has filled it, so that `tempfile` would take another folder.
    wanted = config.temporary_folder()
    _remove_leftovers(wanted)
    with contextlib.suppress(FileNotFoundError):  # there is no folder that can be written
        taken = Path(tempfile.gettempdir())
        if taken != wanted:
            _remove_leftovers(taken)


def _remove_leftovers(folder: Path) -> None:
    for prefix, is_ours, remove in (
        (UPLOAD, stat.S_ISREG, Path.unlink),
        (METRICS, stat.S_ISDIR, shutil.rmtree),
    ):
        for path in folder.glob(f"{prefix}*"):
            # What is locked, somebody else's or gone already is none of our business.
            with contextlib.suppress(OSError), _left(path, is_ours):
                remove(path)


def _locked(make: Callable[[], tuple[int, str]]) -> tuple[int, Path]:
    while True:
        descriptor, name = make()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        # A process that started in this very moment took it for a leftover.
        os.close(descriptor)


def _make_folder() -> tuple[int, str]:
    while True:
        name = tempfile.mkdtemp(prefix=METRICS)
        # It may be taken for a leftover before it can be locked.
        with contextlib.suppress(FileNotFoundError):
            return os.open(name, os.O_RDONLY), name


@contextlib.contextmanager
def _left(path: Path, is_ours: Callable[[int], bool]) -> Iterator[None]:
    """Hold what is left. Raises `OSError` where it is not."""
    # Anybody may put things there that hang who opens them, or lead elsewhere.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        if not is_ours(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{path} is somebody else's")
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
