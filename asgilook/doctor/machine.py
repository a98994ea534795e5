"""What the machine, or the container, leaves a process: looked at here, judged in `room.py`."""

import math
import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from asgilook import config

CGROUPS = Path("/sys/fs/cgroup")
PROC = Path("/proc/self")

_IN_MEMORY = {"tmpfs", "ramfs"}
_UNLIMITED = 1 << 60
"""The first version of cgroups has no word for it, but a number beyond all memory."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The bounds that hold for this process."""

    processors: float
    memory_bytes: int
    descriptors: int
    temporary: Path
    temporary_free_bytes: int
    is_temporary_in_memory: bool

    @classmethod
    def look(cls) -> Self:
        """Read them from the system."""
        temporary, free_bytes = _temporary()
        return cls(
            processors=min(config.processors(), cgroup_processors(CGROUPS, PROC)),
            memory_bytes=min(_memory_bytes(), cgroup_memory_bytes(CGROUPS, PROC)),
            descriptors=_limit(resource.RLIMIT_NOFILE),
            temporary=temporary,
            temporary_free_bytes=free_bytes,
            is_temporary_in_memory=file_system(temporary, PROC) in _IN_MEMORY,
        )


def cgroup_memory_bytes(cgroups: Path, proc: Path) -> int:
    """Give the least bound of the groups that the process is in, of either version."""
    told = (*_read(cgroups, proc, "memory.max"), *_read_first(cgroups, "memory.limit_in_bytes"))
    return min((int(each) for each in told if each.isdecimal()), default=_UNLIMITED)


def cgroup_processors(cgroups: Path, proc: Path) -> float:
    """Give the least share of time, in processors: the list of processors does not show it."""
    shares = [each.split() for each in _read(cgroups, proc, "cpu.max")]
    quotas = _read_first(cgroups, "cpu.cfs_quota_us")
    periods = _read_first(cgroups, "cpu.cfs_period_us")
    shares += [[quota, period] for quota, period in zip(quotas, periods, strict=True)]
    limits = (int(quota) / int(period) for quota, period in shares if quota.isdecimal())
    return min(limits, default=math.inf)


def file_system(path: Path, proc: Path) -> str:
    """Name the kind of file system that a folder is on; empty where that is not told."""
    kinds = dict[Path, str]()
    for line in _lines(proc / "mounts"):
        _, where, kind, *_ = line.split(" ")
        kinds[Path(where)] = kind
    return next((kinds[each] for each in (path, *path.parents) if each in kinds), "")


def _read(cgroups: Path, proc: Path, name: str) -> Iterator[str]:
    """Read a file of each group from the process's own up to the root (cgroups(7))."""
    for line in _lines(proc / "cgroup"):
        if line.startswith("0::/"):
            own = cgroups / line.removeprefix("0::/")
            for group in (own, *own.parents):
                if group.is_relative_to(cgroups):
                    yield from _lines(group / name)


def _read_first(cgroups: Path, name: str) -> list[str]:
    """Read a file of the first version, whose controllers have a folder each."""
    return _lines(cgroups / name.partition(".")[0] / name)


def _lines(path: Path) -> list[str]:
    try:
        return os.fsdecode(path.read_bytes()).splitlines()
    except OSError:
        return []


def _temporary() -> tuple[Path, int]:
    """Tell where uploads wait, and what is free there."""
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError:  # there is no folder that can be written
        return Path("nowhere"), 0
    return folder, shutil.disk_usage(folder).free


def _memory_bytes() -> int:
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(installed, _limit(resource.RLIMIT_AS))


def _limit(kind: int) -> int:
    soft, _ = resource.getrlimit(kind)
    return _UNLIMITED if soft == resource.RLIM_INFINITY else soft
