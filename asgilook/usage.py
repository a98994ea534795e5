"""What each client has used of its quotas: counted in Redis by the whole fleet, or in memory.

A window starts with the first thing that is counted in it. It is the one strategy of the library
that also counts what goes beyond a quota, as what is only known afterwards does.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeVar

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio import Redis

from asgilook.breaker import TROUBLE, Breaker
from asgilook.quota import Measure, Quota, Standing
from asgilook.redis_client import connect, disconnect, renew

REST_S = 1.0
"""How often is looked whether Redis is back."""

MILLISECONDS = 1000
"""Rendering is counted finer than its quota says."""

_PREFIX = "asgilook"
_NAMESPACE = "usage"
_PROBE = RateLimitItemPerSecond(1, 1, _NAMESPACE)

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Usage:
    """Counts; what it cannot count is free, and the log says so. Needs `open_up` before use."""

    def __init__(
        self,
        quotas: Mapping[Measure, Quota],
        redis_url: str | None,
        breaker: Breaker | None = None,
    ) -> None:
        self._quotas = quotas
        self._items = {measure: _item(measure, quota) for measure, quota in quotas.items()}
        self._redis_url = redis_url
        self._redis: Redis | None = None
        self._breaker = breaker or Breaker()
        self._counter: FixedWindowRateLimiter
        self._outage: asyncio.Task[None] | None = None

    async def open_up(self) -> None:
        """Get ready; Redis need not be there yet."""
        if self._redis_url is None:
            self._counter = FixedWindowRateLimiter(MemoryStorage())
            return
        self._redis = connect(self._redis_url)
        self._breaker.probe_by(partial(renew, self._redis))
        # Without an address of its own: the library wants a port in it, ours need not have one.
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=_PREFIX,
            connection_pool=self._redis.connection_pool,  # type: ignore[arg-type] # not typed
        )
        self._counter = FixedWindowRateLimiter(storage)

    async def close(self) -> None:
        """Let go of Redis."""
        if self._outage:
            self._outage.cancel()
            with suppress(asyncio.CancelledError):
                await self._outage
        await self._breaker.close()
        if self._redis:
            await disconnect(self._redis)

    async def standings(self, client: str, measures: Iterable[Measure]) -> list[Standing]:
        """Tell where a client stands with these quotas; nothing while that cannot be known."""
        limited = [measure for measure in measures if measure in self._items]

        async def ask() -> list[Standing]:
            return await asyncio.gather(*(self._standing(client, one) for one in limited))

        return await self._attempt(ask, [])

    async def use(self, client: str, measure: Measure, amount: int) -> bool:
        """Count what a client uses, and tell whether its quota held that."""
        item = self._items.get(measure)
        if item is None or not amount:
            return True

        async def count() -> bool:
            return await self._counter.hit(item, client, measure.value, cost=amount)

        return await self._attempt(count, otherwise=True)

    async def _standing(self, client: str, measure: Measure) -> Standing:
        item, quota = self._items[measure], self._quotas[measure]
        stats = await self._counter.get_window_stats(item, client, measure.value)
        # A window that has not started ends, for whoever starts it now, after its full length.
        is_fresh = stats.remaining >= item.amount
        reset_s = quota.window_s if is_fresh else math.ceil(stats.reset_time - time.time())
        return Standing(measure, quota, stats.remaining, max(reset_s, 1))

    async def _attempt(self, work: Callable[[], Awaitable[T]], otherwise: T) -> T:
        if self._redis is None:
            return await work()  # memory is always there
        if self._outage:
            return otherwise
        try:
            return await self._breaker.call(work)
        except TROUBLE as error:
            if not self._outage:
                _log.error("redis: rate limits are off: %s: %s", type(error).__name__, error)
                self._outage = asyncio.create_task(self._wait_for_end())
        return otherwise

    async def _wait_for_end(self) -> None:
        """Wait until Redis counts again; a ping would be answered by one that is full as well."""
        while True:
            await asyncio.sleep(REST_S)
            with suppress(*TROUBLE):
                await self._breaker.call(partial(self._counter.hit, _PROBE, "probe"))
                break
        self._outage = None
        _log.warning("redis: rate limits are on again")


def _item(measure: Measure, quota: Quota) -> RateLimitItem:
    grain = MILLISECONDS if measure is Measure.RENDERING else 1
    return RateLimitItemPerSecond(quota.amount * grain, quota.window_s, _NAMESPACE)
