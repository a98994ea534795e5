"""What a process and those that it started cost: memory, and time of the processor."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

LOOK_S = 0.1


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_s(pid: int) -> float:
    """Add up the processor's time that they took so far."""
    return sum(sum(one.cpu_times()[:4]) for one in _family(pid))


def memory_mb(pid: int) -> float:
    """Add up their memory; of pages that several share, each counts its part (PSS)."""
    total_bytes = 0
    for one in _family(pid):
        try:
            total_bytes += one.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total_bytes / 1e6


@dataclass
class Peak:
    """The most memory that was seen."""

    mb: float = 0


@contextmanager
def watching(pid: int) -> Iterator[Peak]:
    """Look at the memory of a family all the time."""
    peak, is_over = Peak(), threading.Event()

    def watch() -> None:
        while not is_over.wait(LOOK_S):
            peak.mb = max(peak.mb, memory_mb(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        is_over.set()
        watcher.join()
