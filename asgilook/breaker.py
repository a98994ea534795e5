"""What stands between the requests and a Redis that may be in trouble.

A process has one of it for all that it asks of Redis, so that one request notices, and waits.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Literal, TypeVar, get_args

from redis.exceptions import AskError, ClusterDownError, ReadOnlyError, RedisError, ResponseError

from asgilook import redis_client
from asgilook.metrics import Meter
from asgilook.metrics.catalogue import CACHE_ERRORS

LIMIT_S = 0.3
"""No request waits longer for the server than this."""
TICKS = 6
"""The limit is counted in so many steps: while this process does not get to run, none passes."""
PROBE_S = 0.5
"""How long after a failure, and after a probe that failed, the server is probed."""

UNWELL = (AskError, ClusterDownError, ReadOnlyError)
"""Answers by which a server says that it is the wrong one (MOVED too is an `AskError`), or half
there."""
TROUBLE = (*redis_client.TROUBLE, ValueError)

Op = Literal["ping", "get", "put", "drop", "lease"]

_log = logging.getLogger(__name__)
T = TypeVar("T")
Probe = Callable[[], Awaitable[None]]


class LeftAlone(RedisError):
    """The server is unwell, and was not asked."""


class Breaker:
    """Lets requests through while the server is well.

    The first failure opens it: from then on nobody waits, until all probes, in the background and
    never at a request's expense, find the server well again.
    """

    def __init__(self, meter: Meter | None = None) -> None:
        self._probes: list[Probe] = []
        self._meter = meter = meter or Meter()
        for op in get_args(Op):
            # There from the start: of a series that begins at 1, Prometheus sees no increase.
            meter.place(CACHE_ERRORS, op)
        self._probing: asyncio.Task[None] | None = None

    def probe_by(self, probe: Probe) -> None:
        """Take the server for well only where this does not raise."""
        self._probes.append(probe)

    async def close(self) -> None:
        """Stop probing."""
        if self._probing is not None:
            self._probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._probing

    @property
    def is_open(self) -> bool:
        """Tell whether the server is to be left alone."""
        return self._probing is not None

    async def attempt(self, op: Op, work: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """Do a piece of work with the server, or give `otherwise`, at once while it is unwell."""
        if self.is_open:
            return otherwise
        try:
            return await self.call(work)
        except TROUBLE as error:
            self.judge(op, error)
        return otherwise

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do a piece of work with the server. Raises `TROUBLE`, at once while it is unwell."""
        if self.is_open:
            raise LeftAlone("it is left alone until it is well")
        try:
            async with _Limit():
                return await work()
        except TROUBLE as error:
            # One that is full, say, is well: what it holds already must go on being found.
            if not _is_refusal(error):
                self._open(error)
            raise

    def judge(self, op: Op, error: Exception) -> None:
        """Take note of a failure, and open if it is the server's."""
        self._meter.count(CACHE_ERRORS, op)
        if _is_refusal(error):
            _log.warning("redis: refused: %s", error)
        else:
            self._open(error)

    def _open(self, error: Exception) -> None:
        if self._probing is None:
            _log.warning("redis: left alone until it is well: %s: %s", type(error).__name__, error)
            self._probing = asyncio.create_task(self._probe_until_well())

    async def _probe_until_well(self) -> None:
        is_well = False
        while not is_well:
            await asyncio.sleep(PROBE_S)
            try:
                for probe in self._probes:
                    async with _Limit():
                        await probe()
                is_well = True
            except TROUBLE:
                # Or nobody who watches would see for how long it is unwell.
                self._meter.count(CACHE_ERRORS, "ping")
        self._probing = None
        _log.warning("redis: well again")


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, ResponseError) and not isinstance(error, UNWELL)


class _Limit:
    """Raises `TimeoutError` where a block takes longer than `LIMIT_S`.

    A clock alone would blame the server where the machine is too busy to read its answer.
    """

    __slots__ = ("_left", "_timeout", "_timer")

    async def __aenter__(self) -> None:
        self._timeout = asyncio.timeout(None)
        await self._timeout.__aenter__()
        self._left = TICKS
        self._wait()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LIMIT_S / TICKS, self._tick)

    def _tick(self) -> None:
        self._left -= 1
        if self._left:
            self._wait()
        else:
            self._timeout.reschedule(asyncio.get_running_loop().time())
