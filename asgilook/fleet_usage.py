"""What each client has used of its quotas, counted in Redis by the whole fleet."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeVar

from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage, Storage
from redis.asyncio import Redis

from asgilook.breaker import TROUBLE, Breaker
from asgilook.quota import Measure, Quota
from asgilook.redis_client import connect, disconnect, renew
from asgilook.usage import NAMESPACE, Usage

REST_S = 1.0
"""How often is looked whether Redis is back."""

_PREFIX = "asgilook"
_PROBE = RateLimitItemPerSecond(1, 1, NAMESPACE)

_log = logging.getLogger(__name__)
T = TypeVar("T")


class FleetUsage(Usage):
    """Counts with others; what it cannot count is free, and the log says so."""

    def __init__(
        self, quotas: Mapping[Measure, Quota], redis_url: str, breaker: Breaker | None = None
    ) -> None:
        super().__init__(quotas)
        self._breaker = breaker or Breaker()
        self._redis_url = redis_url
        self._redis: Redis
        self._outage: asyncio.Task[None] | None = None

    async def open_up(self) -> None:
        """Get ready; Redis need not be there yet."""
        self._redis = connect(self._redis_url)
        self._breaker.probe_by(partial(renew, self._redis))
        await super().open_up()

    async def close(self) -> None:
        """Let go of Redis."""
        if self._outage:
            self._outage.cancel()
            with suppress(asyncio.CancelledError):
                await self._outage
        await self._breaker.close()
        await disconnect(self._redis)

    def _storage(self) -> Storage:
        # Without an address of its own: the library wants a port in it, ours need not have one.
        return RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=_PREFIX,
            connection_pool=self._redis.connection_pool,  # type: ignore[arg-type] # not typed
        )

    async def _attempt(self, work: Callable[[], Awaitable[T]], otherwise: T) -> T:
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
