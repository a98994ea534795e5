"""Purges that are still to be done, in anything that speaks Redis: a crash loses none of them.

One sorted set holds them by the time that they are due; it has no lifetime, so a server that makes
room by evicting what has one (`volatile-*`) keeps it.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from asgilook.cdn.queue import REMEMBERED_S, Due, PurgeQueue, PurgeState
from asgilook.errors import QueueUnavailable
from asgilook.redis_client import TROUBLE, connect, disconnect

LIMIT_S = 0.5

# The braces keep them on one node of a cluster.
_DUE = "asgilook:{purges}:due"
_ATTEMPTS = "asgilook:{purges}:attempts"
_DONE = "asgilook:{purges}:done:"

# A script, so that no two processes take the same.
_TAKE = """
local taken = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
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

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis: Redis

    async def open_up(self) -> None:
        self._redis = connect(self._url)
        self._take = self._redis.register_script(_TAKE)

    async def close(self) -> None:
        await disconnect(self._redis)

    async def add(self, image_id: UUID, wait_s: float) -> None:
        async with self._batch() as batch:
            batch.zadd(_DUE, {str(image_id): time.time() + wait_s})
            batch.delete(f"{_DONE}{image_id}")

    async def take(self, limit: int, lease_s: float) -> Sequence[Due]:
        now_s = time.time()
        async with _bounded():
            found = await self._take(keys=[_DUE, _ATTEMPTS], args=[now_s, limit, now_s + lease_s])
        pairs = zip(found[::2], found[1::2], strict=True)
        return [Due(UUID(image_id.decode()), attempts) for image_id, attempts in pairs]

    async def done(self, image_ids: Sequence[UUID]) -> None:
        names = [str(image_id) for image_id in image_ids]
        if not names:
            return
        async with self._batch() as batch:
            for name in names:
                batch.set(f"{_DONE}{name}", b"", ex=REMEMBERED_S)
            batch.zrem(_DUE, *names)
            batch.hdel(_ATTEMPTS, *names)

    async def state(self, image_id: UUID) -> PurgeState | None:
        async with _bounded():
            if await self._redis.zscore(_DUE, str(image_id)) is not None:
                return PurgeState.PENDING
            is_done = await self._redis.exists(f"{_DONE}{image_id}")
        return PurgeState.DONE if is_done else None

    @contextlib.asynccontextmanager
    async def _batch(self) -> AsyncIterator[Any]:
        async with _bounded():
            batch = self._redis.pipeline(transaction=True)
            yield batch
            await batch.execute()


@contextlib.asynccontextmanager
async def _bounded() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(LIMIT_S):
            yield
    except TROUBLE as error:
        raise QueueUnavailable(f"{type(error).__name__}: {error}") from error
