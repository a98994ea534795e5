"""Purges that are still to be done, in anything that speaks Redis: a crash loses none of them.

One sorted set holds them by the time that they are due; it has no lifetime, so a server that makes
room by evicting what has one (`volatile-*`) keeps it.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from asgilook.breaker import TROUBLE, Breaker
from asgilook.cdn.queue import REMEMBERED_S, Due, PurgeQueue, PurgeState
from asgilook.errors import QueueUnavailable
from asgilook.ids import parse_id
from asgilook.redis_client import connect, disconnect, renew

T = TypeVar("T")

# The braces keep them on one node of a cluster.
_DUE = "asgilook:{purges}:due"
_ATTEMPTS = "asgilook:{purges}:attempts"
_DONE = "asgilook:{purges}:done:"

# A script, so that no two processes take the same. ZRANGE has BYSCORE from Redis 6.2 on only.
_TAKE = """
local taken = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local answer = {}
for _, id in ipairs(taken) do
  redis.call('ZADD', KEYS[1], ARGV[3], id)
  answer[#answer + 1] = id
  answer[#answer + 1] = redis.call('HINCRBY', KEYS[2], id, 1) - 1
end
return answer
"""


class RedisPurgeQueue(PurgeQueue):
    """For the whole fleet: whoever is there takes what is due."""

    def __init__(self, url: str, breaker: Breaker | None = None) -> None:
        self._url = url
        self._breaker = breaker or Breaker()
        self._redis: Redis

    async def open_up(self) -> None:
        self._redis = connect(self._url)
        self._breaker.probe_by(partial(renew, self._redis))
        self._take = self._redis.register_script(_TAKE)

    async def close(self) -> None:
        await self._breaker.close()
        await disconnect(self._redis)

    async def add(self, image_id: UUID, wait_s: float) -> None:
        batch = self._batch()
        batch.zadd(_DUE, {str(image_id): time.time() + wait_s})
        batch.delete(f"{_DONE}{image_id}")
        await self._ask(batch.execute)

    async def take(self, limit: int, lease_s: float) -> Sequence[Due]:
        now_s = time.time()
        take = partial(self._take, keys=[_DUE, _ATTEMPTS], args=[now_s, limit, now_s + lease_s])
        found = await self._ask(take)
        names = (name.decode(errors="replace") for name in found[::2])
        pairs = zip(map(parse_id, names), found[1::2], strict=True)
        # What others put there comes up again and again, and is nobody's purge.
        return [Due(image_id, attempts) for image_id, attempts in pairs if image_id]

    async def done(self, image_ids: Sequence[UUID]) -> None:
        names = [str(image_id) for image_id in image_ids]
        if not names:
            return
        batch = self._batch()
        for name in names:
            batch.set(f"{_DONE}{name}", b"", ex=REMEMBERED_S)
        batch.zrem(_DUE, *names)
        batch.hdel(_ATTEMPTS, *names)
        await self._ask(batch.execute)

    async def state(self, image_id: UUID) -> PurgeState | None:
        if await self._ask(partial(self._redis.zscore, _DUE, str(image_id))) is not None:
            return PurgeState.PENDING
        is_done = await self._ask(partial(self._redis.exists, f"{_DONE}{image_id}"))
        return PurgeState.DONE if is_done else None

    def _batch(self) -> Pipeline:
        return self._redis.pipeline(transaction=True)

    async def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._breaker.call(work)
        except TROUBLE as error:
            raise QueueUnavailable(f"{type(error).__name__}: {error}") from error
