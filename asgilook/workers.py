"""Where work for the processor runs, and how much of it at once.

Our own JPEGs are rendered in threads: Pillow lets go of the GIL. What came from outside is only
ever decoded in a child process, which can be killed without hurting anyone.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from asgilook import timing
from asgilook.decoder import Decoder, noted
from asgilook.errors import BrokenPicture, Overloaded
from asgilook.timing import timed

WAITING_PER_SLOT = 32
"""How many jobs may wait for each slot before new ones are turned away."""

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Workers:
    """Runs jobs on as many slots as there are processors; the rest wait, or are turned away.

    Needs `open_up` before use. A job is a picklable call without arguments, such as a `partial`.
    """

    def __init__(self, slots: int, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="render")
        self._rendering = _Queue(slots)
        self._decoding = _Queue(slots)
        self._children = [_Child() for _ in range(slots)]
        self._idle = list(self._children)

    async def open_up(self) -> None:
        """Get the child processes ready, so that the first upload need not wait for one."""
        await asyncio.gather(*(child.start() for child in self._children))

    async def close(self) -> None:
        """End the child processes, at once, and the threads, when they are done."""
        await asyncio.gather(*(child.close() for child in self._children))
        await asyncio.to_thread(self._threads.shutdown)

    async def render(self, job: Callable[[], T]) -> T:
        """Run a job on our own data, in a thread. Raises `Overloaded`."""
        async with self._rendering.turn():
            loop = asyncio.get_running_loop()
            made, spent_s = await loop.run_in_executor(self._threads, noted, job)
        timing.add(spent_s)
        return made

    async def decode(self, job: Callable[[], T]) -> T:
        """Run a job on untrusted data, in a child process.

        Raises `Overloaded`, and `BrokenPicture` where the child crashed or took too long.
        """
        async with self._decoding.turn():
            child = self._idle.pop()
            try:
                made, spent_s = await child.run(job, self._deadline_s)
            finally:
                self._idle.append(child)
        timing.add(spent_s)
        return made


class _Queue:
    """A line of bounded length in front of a number of slots."""

    def __init__(self, slots: int) -> None:
        self._free = asyncio.Semaphore(slots)
        self._limit = slots * (1 + WAITING_PER_SLOT)
        self._inside = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        if self._inside >= self._limit:
            raise Overloaded(f"{self._inside} jobs are waiting or under way")
        self._inside += 1
        try:
            with timed("queue"):
                await self._free.acquire()
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._inside -= 1


class _Child:
    """A slot for decoding: its process is replaced whenever it fails."""

    def __init__(self) -> None:
        self._decoder: Decoder
        # Talking to the process blocks, and nobody else may do it meanwhile.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decode")

    async def start(self) -> None:
        self._decoder = await self._in_thread(Decoder)

    async def close(self) -> None:
        await self._end()
        self._thread.shutdown()

    async def run(self, job: Callable[[], T], deadline_s: float) -> tuple[T, dict[str, float]]:
        if self._decoder.has_ended:
            await self._replace("between pictures")
        try:
            return await self._in_thread(partial(self._decoder.run, job, deadline_s))
        except (TimeoutError, EOFError, OSError) as error:
            await self._replace(type(error).__name__)
            raise BrokenPicture("it took its decoder down, or too long") from error
        except asyncio.CancelledError as error:
            await self._replace(type(error).__name__)
            raise

    async def _replace(self, reason: str) -> None:
        _log.warning("decoder %s ended: %s", self._decoder.pid, reason)
        await self._end()
        await self.start()

    async def _end(self) -> None:
        self._decoder.kill()
        await self._in_thread(self._decoder.close)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
