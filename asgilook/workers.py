"""Where work for the processor runs, and how much of it at once.

Our own JPEGs are rendered in threads: Pillow lets go of the GIL. What came from outside is only
ever opened in a child process, which can be killed without hurting anyone: its header in one
process that has nothing else to do, so that what is small or hopeless need not wait, and then its
pixels in one of several, when there is memory for them.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from asgilook import allocator, timing
from asgilook.admission import Admission, Line, Place
from asgilook.decoder import Decoder, DecoderLimits
from asgilook.errors import BrokenPicture, Overloaded
from asgilook.fork_server import ForkServer
from asgilook.reports import Noted, noted
from asgilook.sandbox import step_back

LINE = 16
"""How many times the budget for memory may wait in line: some 30 s of work, a CDN's patience."""

INSPECTORS = 2
"""While one of them is at a header that takes its time, the other goes on."""
HEADERS_IN_LINE = 256
HEADER_S = 0.5
"""How long a header may take, of the processor's time."""

INTERPRETER_BYTES = 192 * 1024 * 1024
"""The address space that a decoder takes beside its job; most of it is never touched."""

JOBS_BEFORE_RENEWAL = 500
"""After so many jobs a process makes room for a new one, whatever they have left in it."""

COME_BACK_S = 30
"""When to come back to a machine that is too busy for what it has taken."""

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Turn:
    """A place to run one job, and the memory that it may take."""

    _place: Place
    _run: Callable[[Callable[[], Any]], Awaitable[Noted[Any]]]

    async def run(self, job: Callable[[], T]) -> T:
        """Run the job. What it raises is raised here."""
        made, spent_s = await self._run(job)
        timing.add(spent_s)
        result: T = made
        return result

    def keep(self, size_bytes: int) -> None:
        """Make room for others, but for the result: it counts until the turn is over."""
        self._place.keep(size_bytes)


class Workers:
    """Runs jobs on as many slots as there are processors; the rest wait, or are turned away.

    Needs `open_up` before use. A job is a call without arguments, such as a `partial`, and for a
    child it has to be one that can be pickled; the memory of all jobs together stays within
    `memory_bytes`, but for an eighth of it more that only small jobs may take, as they have one
    more slot.
    """

    def __init__(self, slots: int, memory_bytes: int, decode_s: float) -> None:
        limits = DecoderLimits(memory_bytes + INTERPRETER_BYTES, decode_s)
        # Some readers ask for the memory of the pixels at once, and leave it untouched.
        header_limits = DecoderLimits(limits.memory_bytes, HEADER_S)
        self._slots = slots
        memory = Admission(memory_bytes)
        self._rendering = memory.line(slots, LINE * memory_bytes)
        self._decoding = memory.line(slots, LINE * memory_bytes)
        self._inspecting = Admission(INSPECTORS).line(INSPECTORS, HEADERS_IN_LINE)
        self._threads = ThreadPoolExecutor(slots + 1, "render", initializer=step_back)
        self._server = ForkServer()
        self._decoders = [_Child(self._server, limits) for _ in range(slots + 1)]
        self._inspectors = [_Child(self._server, header_limits) for _ in range(INSPECTORS)]
        self._children = [*self._inspectors, *self._decoders]

    async def open_up(self) -> None:
        """Get the child processes ready, so that the first upload need not wait for one."""
        allocator.keep_little()
        await asyncio.gather(*(child.start() for child in self._children))

    async def close(self) -> None:
        """End the child processes, at once, and the threads, when they are done."""
        await asyncio.gather(*(child.close() for child in self._children))
        await asyncio.to_thread(self._server.close)
        await asyncio.to_thread(self._threads.shutdown)

    @property
    def lines(self) -> dict[str, Line]:
        """Show what waits and what runs, by what it is for."""
        return {"thumbnail": self._rendering, "upload": self._decoding}

    def are_busy(self, renderings: int) -> bool:
        """Tell whether one more rendering beside so many others would have to wait."""
        return renderings >= self._slots or self._decoding.is_busy

    async def check_rendering(
        self, cost_bytes: int, is_made: Callable[[], Awaitable[bool]]
    ) -> None:
        """Turn away at once what finds no room, unless it is being made. Raises `Overloaded`."""
        if not self._rendering.has_room(cost_bytes) and not await is_made():
            self._rendering.turn_away(cost_bytes)

    @contextlib.asynccontextmanager
    async def rendering(self, cost_bytes: int) -> AsyncIterator[Turn]:
        """Wait for the turn of a job on our own data, in a thread. Raises `Overloaded`."""
        async with self._rendering.admit(cost_bytes) as place:
            yield Turn(place, self._in_thread)

    async def inspect(self, job: Callable[[], T]) -> T:
        """Run a job on the header of untrusted data, in a child process kept for headers.

        Raises as `decoding` and its turn do.
        """
        async with _turn(self._inspecting, 1, self._inspectors, 1) as turn:
            return await turn.run(job)

    def decoding(
        self, cost_bytes: int, share: float = 1
    ) -> contextlib.AbstractAsyncContextManager[Turn]:
        """Wait for the turn of a job on untrusted data, in a child process. Raises `Overloaded`.

        Of the time for the largest job it gets its share, and a little more. Running it raises
        `BrokenPicture` where the child crashed or took too much of a processor, and `Overloaded`
        where it did not get to work.
        """
        return _turn(self._decoding, cost_bytes, self._decoders, share)

    async def _in_thread(self, job: Callable[[], T]) -> Noted[T]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, noted, job)


@contextlib.asynccontextmanager
async def _turn(line: Line, cost: int, idle: list["_Child"], share: float) -> AsyncIterator[Turn]:
    """Wait for a turn with one of the children that have nothing to do."""
    async with line.admit(cost) as place:

        async def run(job: Callable[[], T]) -> Noted[T]:
            child = idle.pop()
            try:
                return await child.run(job, share)
            finally:
                idle.append(child)

        yield Turn(place, run)


class _Child:
    """A place for a process: one that fails, or has done its share, is replaced."""

    def __init__(self, server: ForkServer, limits: DecoderLimits) -> None:
        self._server = server
        self._limits = limits
        self._decoder: Decoder
        # Talking to the process blocks, and nobody else may do it meanwhile.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decode")

    async def start(self) -> None:
        await self._in_thread(self._make)

    async def close(self) -> None:
        await self._end()
        self._thread.shutdown()

    async def run(self, job: Callable[[], T], share: float) -> Noted[T]:
        if self._decoder.has_ended or self._decoder.jobs >= JOBS_BEFORE_RENEWAL:
            await self._replace("between pictures")
        try:
            return await asyncio.shield(self._in_thread(partial(self._decoder.run, job, share)))
        except TimeoutError as error:
            await self._replace("it does not get to work")
            raise Overloaded("decoders do not get to work", COME_BACK_S) from error
        except (EOFError, OSError) as error:
            await self._replace(type(error).__name__)
            raise BrokenPicture("it took its decoder down, or too long") from error
        except asyncio.CancelledError:
            await self._replace("nobody waits for its picture")
            raise

    async def _replace(self, reason: str) -> None:
        _log.warning("decoder %s ended: %s", self._decoder.pid, reason)
        await self._end()
        await self.start()

    async def _end(self) -> None:
        self._decoder.hang_up()
        await self._in_thread(self._decoder.close)

    def _make(self) -> None:
        self._decoder = Decoder(self._server, self._limits)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
