"""What each client has used of its quotas, counted in memory; `fleet_usage.py` shares the counts.

A window starts with the first thing that is counted in it. It is the one strategy of the library
that also counts what goes beyond a quota, as what is only known afterwards does.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter

from asgilook.quota import Measure, Quota, Standing

MILLISECONDS = 1000
"""Rendering is counted finer than its quota says."""

NAMESPACE = "usage"

T = TypeVar("T")


class Usage:
    """Counts. Needs `open_up` before use."""

    def __init__(self, quotas: Mapping[Measure, Quota]) -> None:
        self._quotas = quotas
        self._items = {measure: _item(measure, quota) for measure, quota in quotas.items()}
        self._counter: FixedWindowRateLimiter

    async def open_up(self) -> None:
        """Get ready."""
        self._counter = FixedWindowRateLimiter(self._storage())

    async def close(self) -> None:
        """Let go of what is held."""

    def _storage(self) -> Storage:
        return MemoryStorage()

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
        """Do what may fail elsewhere; memory is always there."""
        return await work()


def _item(measure: Measure, quota: Quota) -> RateLimitItem:
    grain = MILLISECONDS if measure is Measure.RENDERING else 1
    return RateLimitItemPerSecond(quota.amount * grain, quota.window_s, NAMESPACE)
