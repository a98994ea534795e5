"""Opens the gallery when the server starts and closes it when the server ends."""

import asyncio
import multiprocessing
import signal
from collections.abc import Mapping
from typing import Any

from asgilook.gallery import Gallery
from asgilook.http import temporary
from asgilook.http.express import EXPRESS, Express
from asgilook.http.protocol import LIMITS, Limits
from asgilook.http.trace_context import Traces


class Lifespan:
    """A middleware for the two ends of the application's life."""

    def __init__(
        self, gallery: Gallery, limits: Limits, express: Express, traces: Traces | None = None
    ) -> None:
        self._gallery = gallery
        self._traces = traces
        self._for_the_edge = {LIMITS: limits, EXPRESS: express}

    async def process_startup(self, scope: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Open, and tell the server's protocol what it needs, if it is ours."""
        scope.get("state", {}).update(self._for_the_edge)
        _end_with_parent()
        await asyncio.to_thread(temporary.remove_leftovers)
        await self._gallery.open_up()

    async def process_shutdown(self, scope: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Close."""
        await self._gallery.close()
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)


def _end_with_parent() -> None:
    """See to it that a worker ends when its supervisor did, however that went.

    Otherwise it would go on to serve, and hold the port that the next start wants.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    loop, gone = asyncio.get_running_loop(), parent.sentinel

    def end() -> None:
        loop.remove_reader(gone)
        signal.raise_signal(signal.SIGTERM)

    loop.add_reader(gone, end)
