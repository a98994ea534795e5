"""The numbers of all processes that count in one folder, those that have ended included.

Each process has a file there, and holds a lock on it for as long as it lives, however it ends:
unlike a process's number, a lock is nobody else's afterwards.
"""

import fcntl
import mmap
import os
import tempfile
from collections import defaultdict
from pathlib import Path
from threading import Lock

from asgilook.metrics.catalogue import WORKERS
from asgilook.metrics.meter import BLOCK_BYTES, Labels, Meter, outlives, read
from asgilook.metrics.metric import Metric

SUFFIX = ".meter"

Reading = dict[Metric, dict[Labels, list[float]]]
"""The numbers of each series, by metric and labels."""


def open_meter(folder: Path) -> Meter:
    """Open a meter whose numbers a `Ledger` of the folder adds up. Raises `OSError`."""
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # Written out, not left to be filled: a disk that is full must fail here, not in a request.
        file.write(bytes(BLOCK_BYTES))
        file.flush()
        # It holds the file open, and with it the lock.
        block = mmap.mmap(file.fileno(), BLOCK_BYTES)
    Path(file.name).rename(folder / f"{os.getpid()}-{Path(file.name).name}{SUFFIX}")
    return Meter(block)


class Ledger:
    """Adds up. What has ended is read for a last time, and its file removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended: Reading = defaultdict(dict)
        self._lock = Lock()

    def read(self) -> Reading:
        """Give the sums as they are now."""
        with self._lock:
            living: list[bytes] = []
            for path in self._folder.glob(f"*{SUFFIX}"):
                block, has_ended = _read(path)
                if has_ended:
                    _add(block, self._ended, ended=True)
                    path.unlink()
                else:
                    living.append(block)
            total: Reading = defaultdict(dict)
            for metric, series in self._ended.items():
                total[metric] = dict(series)
        for block in living:
            _add(block, total, ended=False)
        total[WORKERS] = {(): [len(living)]}
        return total


def _read(path: Path) -> tuple[bytes, bool]:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            has_ended = False
        else:
            has_ended = True
        return file.read(), has_ended


def _add(block: bytes, total: Reading, *, ended: bool) -> None:
    for metric, labels, numbers in read(block):
        if outlives(metric) or not ended:
            before = total[metric].get(labels, [0.0] * len(numbers))
            total[metric][labels] = [a + b for a, b in zip(before, numbers, strict=True)]
