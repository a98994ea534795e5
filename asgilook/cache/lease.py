"""The right to make something, which one process of the fleet has at a time."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from redis.asyncio import Redis

from asgilook.breaker import Breaker
from asgilook.cache.base import Lease

LEASE_S = 2.0
"""How long a lease outlives its holder; one who lives renews it."""

_RENEW = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('pexpire', KEYS[1], ARGV[2])"
_RELEASE = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1])"


class Leases:
    """Gives out leases in Redis: keys that only their holder renews or removes."""

    def __init__(self, redis: Redis, breaker: Breaker) -> None:
        self._redis = redis
        self._breaker = breaker
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)
        self._renewing: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Renew no lease any more."""
        for task in self._renewing.values():
            task.cancel()
        await asyncio.gather(*self._renewing.values(), return_exceptions=True)

    async def take(self, key: str) -> Lease | None:
        """Take a lease, or give None while somebody else has it."""
        token = secrets.token_hex(8)

        async def take() -> bool:
            return bool(await self._redis.set(key, token, nx=True, px=_milliseconds(LEASE_S)))

        # Without Redis everybody makes what he needs.
        is_taken = await self._breaker.attempt("lease", take, None)
        if is_taken is None:
            return Lease()
        if not is_taken:
            return None
        self._renewing[token] = asyncio.create_task(self._go_on_renewing(key, token))
        return _Held(partial(self._give_back, key, token))

    async def _go_on_renewing(self, key: str, token: str) -> None:
        renew = partial(self._renew, keys=[key], args=[token, _milliseconds(LEASE_S)])
        while True:
            await asyncio.sleep(LEASE_S / 4)
            await self._breaker.attempt("lease", renew, None)

    async def _give_back(self, key: str, token: str) -> None:
        self._renewing.pop(token).cancel()
        await self._breaker.attempt("lease", partial(self._release, keys=[key], args=[token]), None)


@dataclass(frozen=True, slots=True)
class _Held(Lease):
    give_back: Callable[[], Awaitable[None]]

    async def release(self) -> None:
        await self.give_back()


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
