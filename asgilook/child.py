"""A place for a process that works on pictures: made when it is needed, ended when it is unfit."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from asgilook.decoder import Bounds, Decoder, DecoderKind, NoReportError
from asgilook.errors import Overloaded
from asgilook.fork_server import ForkServer
from asgilook.reports import Noted

JOBS_BEFORE_RENEWAL = 500
"""After so many jobs a process makes room for a new one, whatever they have left in it."""

COME_BACK_S = 30
"""When to come back to a machine that is too busy for what it has taken."""

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Child:
    """Has one job done at a time."""

    def __init__(self, server: ForkServer, kind: DecoderKind) -> None:
        self._server = server
        self._kind = kind
        self._decoder: Decoder | None = None
        self._is_wanted = True
        # Talking to the process blocks, and nobody else may do it meanwhile.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=kind.name)

    async def start(self) -> None:
        """Get its process ready. Raises `EOFError` or `OSError` where none is to be had."""
        await self._in_thread(self._fit)

    async def close(self) -> None:
        """End its process, and come back when it is gone."""
        self._leave()
        await self._in_thread(self._end)
        self._thread.shutdown()

    async def run(self, job: Callable[[], T], bounds: Bounds) -> Noted[T]:
        """Have a job done within bounds. What it raises is raised here.

        Raises `Overloaded` where it does not get to work, or the system ended its process, and what
        its kind says of one that was lost otherwise.
        """
        self._is_wanted = True
        work = asyncio.ensure_future(self._in_thread(partial(self._work, job, bounds)))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._leave()
            # Until its end this place is not free, however often somebody is told to leave.
            while not work.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([work])
            # What came of it is for nobody.
            work.exception()
            raise

    def _leave(self) -> None:
        self._is_wanted = False
        decoder = self._decoder
        if decoder:
            decoder.hang_up()

    def _work(self, job: Callable[[], T], bounds: Bounds) -> Noted[T]:
        try:
            decoder = self._fit()
        except (EOFError, OSError) as error:
            raise Overloaded(f"no {self._kind.name} is to be had", COME_BACK_S) from error
        try:
            return decoder.run(job, bounds)
        except TimeoutError as error:
            self._end("it does not get to work")
            raise Overloaded(f"{self._kind.name}s do not get to work", COME_BACK_S) from error
        except NoReportError as error:
            self._end(repr(error))
            raise self._kind.lost() from error
        except (EOFError, OSError) as error:
            ended_by = self._end(repr(error) if self._is_wanted else "nobody waits for its picture")
            if ended_by == signal.SIGKILL:
                # No picture does that: the system is short of memory.
                raise Overloaded(f"the system ended a {self._kind.name}", COME_BACK_S) from error
            raise self._kind.lost() from error

    def _fit(self) -> Decoder:
        """Give a process that is ready for a job."""
        if self._decoder and self._decoder.has_ended:
            self._end("between pictures")
        elif self._decoder and self._decoder.jobs >= JOBS_BEFORE_RENEWAL:
            self._end()
        if not self._decoder:
            self._decoder = self._made()
        if not self._is_wanted:
            self._decoder.hang_up()
        return self._decoder

    def _made(self) -> Decoder:
        decoder = Decoder(self._server, self._kind)
        try:
            decoder.get_ready()
        except BaseException:
            decoder.close()
            raise
        return decoder

    def _end(self, reason: str = "") -> int:
        """End its process, and give the signal that it ended by."""
        if not self._decoder:
            return 0
        pid, ended_by = self._decoder.pid, self._decoder.close()
        self._decoder = None
        if reason:
            _log.warning("%s %s ended (signal %d): %s", self._kind.name, pid, ended_by, reason)
        return ended_by

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
