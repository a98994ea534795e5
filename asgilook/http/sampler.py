"""Writes down ten times a second what is not worth that at every event.

Who kills a process takes a tenth of a second of its counts with it.
"""

import asyncio
import contextlib
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asgilook.http.traffic import Traffic
from asgilook.metrics import Meter
from asgilook.metrics.catalogue import (
    QUEUE_DEPTH,
    RENDER_REJECTED,
    RENDER_SLOTS,
    RENDERS_IN_PROGRESS,
    WORKER_RSS,
)
from asgilook.workers import Workers

INTERVAL_S = 0.1

_STATM = Path("/proc/self/statm")
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


class Sampler:
    """Keeps what a process is at (a middleware, for the two ends of its life)."""

    def __init__(self, meter: Meter, traffic: Traffic, workers: Workers) -> None:
        self._meter = meter
        self._traffic = traffic
        self._workers = workers
        self._task: asyncio.Task[None]

    async def process_startup(self, scope: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Start to look."""
        self._task = asyncio.create_task(self._look_again_and_again())

    async def process_shutdown(self, scope: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Look for a last time."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._look()

    async def _look_again_and_again(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(INTERVAL_S)

    def _look(self) -> None:
        self._traffic.write()
        meter = self._meter
        for work, line in self._workers.lines.items():
            meter.set(QUEUE_DEPTH, len(line.waiting), work)
            meter.set(RENDERS_IN_PROGRESS, line.running, work)
            meter.set(RENDER_SLOTS, line.slots, work)
            meter.set(RENDER_REJECTED, line.refused, work, "line-full")
        meter.set(WORKER_RSS, _rss_bytes())


def _rss_bytes() -> int:
    """Tell how much of this process is in memory; only at its peak where no more is known."""
    try:
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTES
