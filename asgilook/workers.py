"""Where work for the processor runs, and how much of it at once.

Our own JPEGs are rendered in threads: Pillow lets go of the GIL. What came from outside is only
ever opened in a child process, which can be killed without hurting anyone: its header in one
process that has nothing else to do, so that what is small or hopeless need not wait, and then its
pixels in one of several, when there is memory for them.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from asgilook import timing
from asgilook.admission import Admission
from asgilook.decoder import Decoder, DecoderLimits, noted
from asgilook.errors import BrokenPicture

LINE = 8
"""How many times the budget for memory may wait in line."""

HEADERS_IN_LINE = 256
HEADER_S = 1.5
"""How long a header may take, of the processor's time."""

INTERPRETER_BYTES = 64 * 1024 * 1024
"""What a decoder takes beside its job."""

JOBS_BEFORE_RENEWAL = 500
"""After so many jobs a process makes room for a new one, whatever they have left in it."""

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Workers:
    """Runs jobs on as many slots as there are processors; the rest wait, or are turned away.

    Needs `open_up` before use. A job is a picklable call without arguments, such as a `partial`;
    the memory of all jobs of a kind together stays within `memory_bytes`.
    """

    def __init__(self, slots: int, memory_bytes: int, decode_s: float) -> None:
        limits = DecoderLimits(memory_bytes + INTERPRETER_BYTES, decode_s)
        # Some readers ask for the memory of the pixels at once, and leave it untouched.
        header_limits = DecoderLimits(limits.memory_bytes, HEADER_S)
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="render")
        self._rendering = Admission(slots, memory_bytes, LINE * memory_bytes)
        self._decoding = Admission(slots, memory_bytes, LINE * memory_bytes)
        self._inspecting = Admission(1, 1, HEADERS_IN_LINE)
        self._inspector = _Child(header_limits)
        self._decoders = [_Child(limits) for _ in range(slots)]
        self._idle = list(self._decoders)

    async def open_up(self) -> None:
        """Get the child processes ready, so that the first upload need not wait for one."""
        await asyncio.gather(*(child.start() for child in [self._inspector, *self._decoders]))

    async def close(self) -> None:
        """End the child processes, at once, and the threads, when they are done."""
        await asyncio.gather(*(child.close() for child in [self._inspector, *self._decoders]))
        await asyncio.to_thread(self._threads.shutdown)

    async def render(self, job: Callable[[], T], cost_bytes: int) -> T:
        """Run a job on our own data, in a thread. Raises `Overloaded`."""
        async with self._rendering.admit(cost_bytes):
            loop = asyncio.get_running_loop()
            made, spent_s = await loop.run_in_executor(self._threads, noted, job)
        timing.add(spent_s)
        return made

    async def inspect(self, job: Callable[[], T]) -> T:
        """Run a job on the header of untrusted data, in a child process of its own.

        Raises as `decode` does.
        """
        async with self._inspecting.admit(1):
            made, _ = await self._inspector.run(job)
        return made

    async def decode(self, job: Callable[[], T], cost_bytes: int) -> T:
        """Run a job on untrusted data, in a child process.

        Raises `Overloaded`, and `BrokenPicture` where the child crashed or took too long.
        """
        async with self._decoding.admit(cost_bytes):
            child = self._idle.pop()
            try:
                made, spent_s = await child.run(job)
            finally:
                self._idle.append(child)
        timing.add(spent_s)
        return made


class _Child:
    """A place for a process: one that fails, or has done its share, is replaced."""

    def __init__(self, limits: DecoderLimits) -> None:
        self._limits = limits
        self._decoder: Decoder
        # Talking to the process blocks, and nobody else may do it meanwhile.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decode")

    async def start(self) -> None:
        self._decoder = await self._in_thread(partial(Decoder, self._limits))

    async def close(self) -> None:
        await self._end()
        self._thread.shutdown()

    async def run(self, job: Callable[[], T]) -> tuple[T, dict[str, float]]:
        if self._decoder.has_ended or self._decoder.jobs >= JOBS_BEFORE_RENEWAL:
            await self._replace("between pictures")
        try:
            return await self._in_thread(partial(self._decoder.run, job))
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
