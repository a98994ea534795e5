"""Where work for the processor runs, and how much of it at once.

Our own JPEGs are rendered in threads: Pillow lets go of the GIL. What came from outside is only
ever decoded in a child process, which can be killed without hurting anyone.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import signal
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from asgilook import timing
from asgilook.errors import BrokenPicture, Overloaded
from asgilook.timing import timed

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

WAITING_PER_SLOT = 32
"""How many jobs may wait for each slot before new ones are turned away."""

_log = logging.getLogger(__name__)
T = TypeVar("T")
Noted = tuple[T, dict[str, float]]
"""What a job gives, and the seconds that it spent on what."""


class Workers:
    """Runs jobs on as many slots as there are processors; the rest wait, or are turned away.

    Needs `open_up` before use. A job is a picklable call without arguments, such as a `partial`.
    """

    def __init__(self, slots: int, deadline_s: float) -> None:
        self._slots = slots
        self._deadline_s = deadline_s
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="render")
        self._exchanges = ThreadPoolExecutor(slots, thread_name_prefix="decode")
        self._rendering = _Queue(slots)
        self._decoding = _Queue(slots)
        self._children: list[_Child] = []

    async def open_up(self) -> None:
        """Get the child processes ready, so that the first upload need not wait for one."""
        self._children = [_Child() for _ in range(self._slots)]
        await asyncio.gather(*(child.start() for child in self._children))

    async def close(self) -> None:
        """End the child processes, at once, and the threads, when they are done."""
        for child in self._children:
            child.kill()
        for threads in (self._threads, self._exchanges):
            await asyncio.to_thread(threads.shutdown)

    async def render(self, job: Callable[[], T]) -> T:
        """Run a job on our own data, in a thread. Raises `Overloaded`."""
        async with self._rendering.turn():
            loop = asyncio.get_running_loop()
            made, spent_s = await loop.run_in_executor(self._threads, _noted, job)
            timing.add(spent_s)
            return made

    async def decode(self, job: Callable[[], T]) -> T:
        """Run a job on untrusted data, in a child process.

        Raises `Overloaded`, and `BrokenPicture` where the child crashed or took too long.
        """
        async with self._decoding.turn():
            child = self._children.pop()
            try:
                return await child.run(self._exchanges, job, self._deadline_s)
            finally:
                self._children.append(child)


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
    """A process that runs one job at a time, and is replaced when it fails.

    It ends by itself when its parent is gone, however that went: its pipe closes then. (A pool
    from the standard library would leave its processes behind.)
    """

    async def start(self) -> None:
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        context = multiprocessing.get_context("forkserver")
        # The fork server has imported the codec already: a new child costs milliseconds.
        context.set_forkserver_preload(["asgilook.codec"])
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    async def run(self, threads: ThreadPoolExecutor, job: Callable[[], T], deadline_s: float) -> T:
        exchange = partial(self._exchange, job, deadline_s)
        try:
            answer = await asyncio.get_running_loop().run_in_executor(threads, exchange)
        except (TimeoutError, EOFError, OSError, asyncio.CancelledError) as error:
            _log.warning("decoder %s ended: %s", self._process.pid, type(error).__name__)
            self.kill()
            await self.start()
            if isinstance(error, asyncio.CancelledError):
                raise
            raise BrokenPicture("it took its decoder down, or too long") from error
        if isinstance(answer, Exception):
            raise answer
        made, spent_s = answer
        timing.add(spent_s)
        return made

    def _exchange(self, job: Callable[[], T], deadline_s: float) -> Noted[T] | Exception:
        self._pipe.send(job)
        if not self._pipe.poll(deadline_s):
            raise TimeoutError
        answer: Noted[T] | Exception = self._pipe.recv()
        return answer

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _noted(job: Callable[[], T]) -> "Noted[T]":
    """Run a job and note where its time went."""
    spent_s = timing.begin()
    return job(), spent_s


def _serve(pipe: "Connection[Any, Any]") -> None:
    """Do one job after the other, for as long as the parent is there."""
    # Ctrl-C at the terminal reaches children too; theirs is to be ended by the parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError):
        while True:
            job = pipe.recv()
            answer: Noted[Any] | Exception
            try:
                answer = _noted(job)
            except Exception as error:  # noqa: BLE001 - it is raised again, in the parent
                answer = error
            pipe.send(answer)
