"""Where work for the processor runs, and how much of it at once.

Pictures are only ever opened in child processes, which can be killed without hurting anyone, and
never keep an answer waiting for the interpreter. Our own are rendered in processes that see nothing
else. What came from outside is looked at in others: its header in one that has nothing else to do,
so that what is small or hopeless need not wait, and then its pixels in one of several, when there
is memory for them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from asgilook import allocator, timing
from asgilook.admission import Admission, Line, Place
from asgilook.child import COME_BACK_S, Child
from asgilook.decoder import Bounds, DecoderKind
from asgilook.errors import AsgilookError, BrokenPicture, Overloaded
from asgilook.fork_server import ForkServer
from asgilook.reports import Noted

LINE = 16
"""How many times the budget for memory may wait in line: some 30 s of work, a CDN's patience."""

INSPECTORS = 2
"""While one of them is at a header that takes its time, the other goes on."""
HEADERS_IN_LINE = 256
HEADER_S = 0.5
"""How long a header may take, of the processor's time."""

RENDER_S = 60
"""The same for a thumbnail: our pictures are no bombs, but an AVIF of all their pixels is slow."""

INTERPRETER_BYTES = 192 * 1024 * 1024
"""The address space that a decoder takes beside its job; most of it is never touched."""

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

    Needs `open_up` before use. A job is a call without arguments that can be pickled, such as a
    `partial` of the codec's; the memory of all jobs together stays within `memory_bytes`, but for
    an eighth of it more that only small jobs may take, as they have one more slot.
    """

    def __init__(self, slots: int, memory_bytes: int, decode_s: float) -> None:
        decoders = DecoderKind("decoder", memory_bytes + INTERPRETER_BYTES, decode_s, _broken)
        # Some readers ask for the memory of the pixels at once, and leave it untouched.
        inspectors = DecoderKind("inspector", decoders.memory_bytes, HEADER_S, _broken)
        renderers = DecoderKind(
            "renderer", decoders.memory_bytes, RENDER_S, _lost, allocator.keep_little
        )
        self._slots = slots
        self.decode_s = decode_s
        """Of a processor, for the largest upload."""
        memory = Admission(memory_bytes)
        self._rendering = memory.line(slots, LINE * memory_bytes)
        self._decoding = memory.line(slots, LINE * memory_bytes)
        self._inspecting = Admission(INSPECTORS).line(INSPECTORS, HEADERS_IN_LINE)
        self._server = ForkServer()
        self._inspectors = self._children(INSPECTORS, inspectors)
        self._decoders = self._children(slots + 1, decoders)
        self._renderers = self._children(slots + 1, renderers)

    async def open_up(self) -> None:
        """Get a child process of each kind ready, so that who comes first need not wait for it."""
        allocator.keep_little()
        kinds = (self._inspectors, self._decoders, self._renderers)
        await asyncio.gather(*(children[-1].start() for children in kinds))

    async def close(self) -> None:
        """End the child processes, at once."""
        children = (*self._inspectors, *self._decoders, *self._renderers)
        await asyncio.gather(*(child.close() for child in children))
        await asyncio.to_thread(self._server.close)

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

    def rendering(self, cost_bytes: int) -> contextlib.AbstractAsyncContextManager[Turn]:
        """Wait for the turn of a job on our own data. Raises `Overloaded`.

        So does running it where it did not get to work, or the system ended its process.
        """
        return _turn(self._rendering, cost_bytes, self._renderers, Bounds())

    async def inspect(self, job: Callable[[], T]) -> T:
        """Run a job on the header of untrusted data, in a child process kept for headers.

        Raises as `decoding` and its turn do.
        """
        async with _turn(self._inspecting, 1, self._inspectors, Bounds()) as turn:
            return await turn.run(job)

    def decoding(
        self, cost_bytes: int, share: float = 1
    ) -> contextlib.AbstractAsyncContextManager[Turn]:
        """Wait for the turn of a job on untrusted data, in a child process. Raises `Overloaded`.

        Of the time for the largest job it gets its share, and a little more, and so of the memory
        what it costs: a file may say that it takes less than it does. Running it raises
        `BrokenPicture` where the child crashed or took too much of a processor, and `Overloaded`
        where it did not get to work, or the system ended it.
        """
        return _turn(self._decoding, cost_bytes, self._decoders, Bounds(share, cost_bytes))

    def _children(self, count: int, kind: DecoderKind) -> list[Child]:
        return [Child(self._server, kind) for _ in range(count)]


def _broken() -> AsgilookError:
    return BrokenPicture("it took its decoder down, or too long")


def _lost() -> AsgilookError:
    return Overloaded("a renderer ended", COME_BACK_S)


@contextlib.asynccontextmanager
async def _turn(line: Line, cost: int, idle: list[Child], bounds: Bounds) -> AsyncIterator[Turn]:
    """Wait for a turn with one of the children that have nothing to do."""
    async with line.admit(cost) as place:

        async def run(job: Callable[[], T]) -> Noted[T]:
            child = idle.pop()
            try:
                return await child.run(job, bounds)
            finally:
                idle.append(child)

        yield Turn(place, run)
