"""Other processes, and their end."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.patience import PATIENCE_S


@contextmanager
def watched(pid: int) -> Iterator[int]:
    """Hold on to a process: what the block gets is never another one with the same number."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def python(
    folder: Path, *arguments: str, settings: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run Python in a folder, with settings in its environment, to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def has_ended(descriptor: int, patience_s: float = PATIENCE_S) -> bool:
    """Wait for the end of a process that is watched, and tell whether it came."""
    return bool(select.select([descriptor], [], [], patience_s)[0])
