"""The way in for what comes from outside: known refusals, the header, then the pixels."""

import time
from functools import partial
from pathlib import Path

from asgilook import timing
from asgilook.codec import Ingested, IngestOptions, ingest, inspect
from asgilook.errors import UploadRefused
from asgilook.refusals import Refusals
from asgilook.workers import Workers


class Intake:
    """Makes pictures of uploaded files, each step cheaper than the one behind it."""

    def __init__(self, workers: Workers, refusals: Refusals, options: IngestOptions) -> None:
        self._workers = workers
        self._refusals = refusals
        self._options = options

    async def take(self, upload: Path, sha256: bytes) -> Ingested:
        """Make a picture of a file with this digest. Raises `UploadRefused` and `Overloaded`."""
        await self._refusals.check(sha256)
        start_s = time.perf_counter() - timing.spent_s("queue")
        try:
            header = await self._workers.inspect(partial(inspect, upload, self._options.limits))
            job = partial(ingest, upload, self._options)
            return await self._workers.decode(job, header.cost_bytes)
        except UploadRefused as refusal:
            # A process that was ended leaves no notes.
            end_s = time.perf_counter() - timing.spent_s("queue")
            timing.add({"refused": end_s - start_s})
            await self._refusals.remember(sha256, refusal)
            raise
