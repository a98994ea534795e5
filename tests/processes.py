"""Other processes, and their end."""

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager

from tests.patience import PATIENCE_S


@contextmanager
def watched(pid: int) -> Iterator[int]:
    """Hold on to a process: what the block gets is never another one with the same number."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def has_ended(descriptor: int, patience_s: float = PATIENCE_S) -> bool:
    """Wait for the end of a process that is watched, and tell whether it came."""
    return bool(select.select([descriptor], [], [], patience_s)[0])
