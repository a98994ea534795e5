"""What stands between the requests and a server that may be in trouble."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Literal, TypeVar, get_args

from redis.exceptions import ClusterDownError, ReadOnlyError, ResponseError

from asgilook import redis_client
from asgilook.metrics import Meter
from asgilook.metrics.catalogue import CACHE_ERRORS

LIMIT_S = 0.3
"""No request waits longer for the server than this."""
TICKS = 6
"""The limit is counted in so many steps: while this process does not get to run, none passes."""
PROBE_S = 0.5
"""How long after a failure, and after a probe that failed, the server is probed."""

UNWELL = (ReadOnlyError, ClusterDownError)
"""Answers by which a server says that it is the wrong one, or half there."""
TROUBLE = (*redis_client.TROUBLE, ValueError)

Op = Literal["ping", "get", "put", "drop", "lease"]

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Breaker:
    """Lets requests through while the server is well.

    The first failure opens it: from then on nobody waits, until `probe`, in the background and
    never at a request's expense, finds the server well again.
    """

    def __init__(self, probe: Callable[[], Awaitable[None]], meter: Meter) -> None:
        self._probe = probe
        self._meter = meter
        for op in get_args(Op):
            # There from the start: of a series that begins at 1, Prometheus sees no increase.
            meter.place(CACHE_ERRORS, op)
        self._probing: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Stop probing."""
        if self._probing is not None:
            self._probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._probing

    async def attempt(self, op: Op, work: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """Do a piece of work with the server, or give `otherwise`, at once while it is unwell."""
        if self._probing is not None:
            return otherwise
        try:
            async with _Limit():
                return await work()
        except TROUBLE as error:
            self._meter.count(CACHE_ERRORS, op)
            if isinstance(error, ResponseError) and not isinstance(error, UNWELL):
                # It is well, but full, say: what it holds already must go on being found.
                _log.warning("redis: refused: %s", error)
            else:
                self._open(error)
        return otherwise

    def _open(self, error: Exception) -> None:
        if self._probing is None:
            _log.warning("redis: left alone until it is well: %s: %s", type(error).__name__, error)
            self._probing = asyncio.create_task(self._probe_until_well())

    async def _probe_until_well(self) -> None:
        is_well = False
        while not is_well:
            await asyncio.sleep(PROBE_S)
            with contextlib.suppress(*TROUBLE):
                async with _Limit():
                    await self._probe()
                is_well = True
        self._probing = None
        _log.warning("redis: well again")


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
