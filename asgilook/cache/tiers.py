"""Two caches as one: memory near at hand, and one that the fleet shares behind it."""

import asyncio
import contextlib
from collections.abc import Mapping
from uuid import UUID

from asgilook.cache.base import Cache, Entry, Found, Lease
from asgilook.cache.memory import MemoryCache
from asgilook.cache.redis import RedisCache
from asgilook.timing import NOTHING

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
        self._drops_heard = 0

    async def open_up(self) -> None:
        await self._far.open_up()
        self._following = asyncio.create_task(
            self._far.follow_drops(self._forget, self._forget_all)
        )

    async def close(self) -> None:
        self._following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._following
        await self._far.close()

    async def is_well(self) -> bool:
        return await self._far.is_well()

    def at_hand(self, image_id: UUID, name: str) -> Entry | None:
        return self._near.at_hand(image_id, name)

    def find(self, image_id: UUID, name: str, found: Found) -> None:
        entry = self._near.at_hand(image_id, name)
        if entry is not None:
            found(entry, NOTHING)
            return
        heard = self._drops_heard

        def pass_on(entry: Entry | None, spent_s: Mapping[str, float]) -> None:
            # The news that an image was dropped may overtake the answer that still had it.
            if entry is not None and heard == self._drops_heard:
                self._near.keep(image_id, {name: entry})
            found(entry, spent_s)

        self._far.find(image_id, name, pass_on)

    async def put(self, image_id: UUID, entries: Mapping[str, Entry]) -> bool:
        # Redis first: it knows what other processes dropped.
        is_kept = await self._far.put(image_id, entries)
        return is_kept and await self._near.put(image_id, entries)

    async def drop(self, image_id: UUID) -> None:
        await self._near.drop(image_id)
        await self._far.drop(image_id)

    async def lease(self, image_id: UUID, work: str) -> Lease | None:
        return await self._far.lease(image_id, work)

    async def _forget(self, image_id: UUID) -> None:
        self._drops_heard += 1
        await self._near.drop(image_id)

    async def _forget_all(self) -> None:
        self._drops_heard += 1
        await self._near.clear()
