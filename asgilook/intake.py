"""The way in for what comes from outside: known refusals, the header, then the pixels."""

import contextlib
import time
from collections.abc import AsyncIterator, Iterator
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

    @contextlib.asynccontextmanager
    async def taken(self, upload: Path, sha256: bytes) -> AsyncIterator[Ingested]:
        """Make a picture of a file with this digest, and hold memory for it while it is in use.

        Raises `UploadRefused` and `Overloaded`.
        """
        await self._refusals.check(sha256)
        async with contextlib.AsyncExitStack() as holding:
            try:
                with _noted_where_refused():
                    limits = self._options.limits
                    header = await self._workers.inspect(partial(inspect, upload, limits))
                    share = header.size.width * header.size.height / limits.max_pixels
                    decoding = self._workers.decoding(header.cost_bytes, share)
                    turn = await holding.enter_async_context(decoding)
                    made = await turn.run(partial(ingest, upload, self._options))
            except UploadRefused as refusal:
                await self._refusals.remember(sha256, refusal)
                raise
            turn.keep(made.length_bytes)
            yield made


@contextlib.contextmanager
def _noted_where_refused() -> Iterator[None]:
    """Note the time of what is refused: a process that was ended leaves no notes."""
    start_s = time.perf_counter() - timing.spent_s("queue")
    try:
        yield
    except UploadRefused:
        timing.add({"refused": time.perf_counter() - timing.spent_s("queue") - start_s})
        raise
