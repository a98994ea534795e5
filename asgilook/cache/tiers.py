"""Two caches as one: memory near at hand, and one that the fleet shares behind it."""

import asyncio
import contextlib
from collections.abc import Mapping
from uuid import UUID

from asgilook.cache.base import Cache, Entry
from asgilook.cache.memory import MemoryCache
from asgilook.cache.redis import RedisCache

NEAR_TTL_S = 60
"""How long memory may go on with an image that another process dropped while Redis was away."""


class TieredCache(Cache):
    """Asks memory first, then Redis; what Redis knew is kept in memory too.

    What any process drops leaves the memory of all of them, as soon as Redis tells.
    """

    def __init__(self, near: MemoryCache, far: RedisCache) -> None:
        self._near = near
        self._far = far
        self._following: asyncio.Task[None]

    async def open_up(self) -> None:
        await self._far.open_up()
        self._following = asyncio.create_task(self._far.follow_drops(self._near.drop))

    async def close(self) -> None:
        self._following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._following
        await self._far.close()

    async def is_well(self) -> bool:
        return await self._far.is_well()

    async def get(self, image_id: UUID, name: str) -> Entry | None:
        entry = await self._near.get(image_id, name)
        if entry is None:
            entry = await self._far.get(image_id, name)
            if entry is not None:
                await self._near.put(image_id, {name: entry})
        return entry

    async def put(self, image_id: UUID, entries: Mapping[str, Entry]) -> bool:
        # Redis first: it knows what other processes dropped.
        is_kept = await self._far.put(image_id, entries)
        return is_kept and await self._near.put(image_id, entries)

    async def drop(self, image_id: UUID) -> None:
        await self._near.drop(image_id)
        await self._far.drop(image_id)
