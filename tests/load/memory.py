"""The memory of a service and of all processes that it started."""

import asyncio
import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

SAMPLE_S = 0.1

_GROUPS = Path("/sys/fs/cgroup/memory")
_PSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)
_KILLS = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


class Watch:
    """Looks at a family of processes ten times a second, and keeps the highest it saw.

    A page that several processes share counts once in all (PSS, proc(5)).
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.peak_mib: dict[str, float] = {"all": 0.0}

    async def run(self) -> None:
        """Look until called off."""
        while True:
            self._look(await asyncio.to_thread(family_mib, self._pid))
            await asyncio.sleep(SAMPLE_S)

    def _look(self, sizes_mib: dict[int, float]) -> None:
        parent = sizes_mib.get(self._pid, 0.0)
        children = [size for pid, size in sizes_mib.items() if pid != self._pid]
        now = {
            "all": parent + sum(children),
            "the parent": parent,
            "its largest child": max(children, default=0.0),
        }
        for name, size_mib in now.items():
            self.peak_mib[name] = max(self.peak_mib.get(name, 0.0), size_mib)


def family_mib(pid: int) -> dict[int, float]:
    """Give the share of memory of a process and its descendants."""
    found, waiting = {}, [pid]
    while waiting:
        one = waiting.pop()
        # It may end while it is looked at.
        with contextlib.suppress(OSError):
            match = _PSS.search(Path(f"/proc/{one}/smaps_rollup").read_bytes())
            found[one] = int(match[1]) / 1024 if match else 0.0
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
    return found


class Group:
    """A group of processes that the kernel holds to a limit (cgroup v1, as root)."""

    def __init__(self, limit_bytes: int) -> None:
        self._path = _GROUPS / f"asgilook-load-{os.getpid()}"
        self._limit_bytes = limit_bytes

    @staticmethod
    def is_possible() -> bool:
        """Tell whether this machine lets us have one."""
        return os.access(_GROUPS / "cgroup.procs", os.W_OK)

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """Be in it for the length of the block: what is started meanwhile stays in it."""
        self._path.mkdir()
        (self._path / "memory.limit_in_bytes").write_text(str(self._limit_bytes))
        (self._path / "cgroup.procs").write_text(str(os.getpid()))
        try:
            yield
        finally:
            (_GROUPS / "cgroup.procs").write_text(str(os.getpid()))

    def summary(self) -> str:
        """Say how near to the limit it came, files in the kernel's cache included."""
        peak = int((self._path / "memory.max_usage_in_bytes").read_text()) / 1024**2
        kills = _KILLS.search((self._path / "memory.oom_control").read_text())
        return f"peak with cached files {peak:.0f} MiB, killed: {kills[1] if kills else 'unknown'}"

    def remove(self) -> None:
        """Take it away, when nobody is in it any more."""
        self._path.rmdir()
