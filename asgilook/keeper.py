"""Keeps what was made of an image, unless the image is gone by then."""

import asyncio
import contextlib
from uuid import UUID

from asgilook.cache import Cache
from asgilook.errors import ImageNotFound, StoreUnavailable
from asgilook.fleet import Entries
from asgilook.originals import Originals

LOOK_AGAIN_S = 1.0
"""How often to ask a store that cannot tell whether an image is still there."""


class Keeper:
    """Puts entries into a cache, and takes them back if their image was deleted meanwhile.

    The cache refuses what was dropped lately; but it may forget that, as it may forget all.
    """

    def __init__(self, cache: Cache, originals: Originals) -> None:
        self._cache = cache
        self._originals = originals
        self._is_closing = asyncio.Event()

    def close(self) -> None:
        """Wait no longer for what the store cannot tell, and keep nothing of such an image."""
        self._is_closing.set()

    async def keep(self, image_id: UUID, entries: Entries) -> None:
        """Put them there, and come back when it is sure that they may stay, or are gone."""
        await self._cache.put(image_id, entries)
        if not await self._is_there(image_id):
            await self._cache.drop(image_id)

    async def _is_there(self, image_id: UUID) -> bool:
        # While the store cannot tell, nothing can be deleted either, and whatever else the cache
        # has of the image is wanted most.
        while True:
            try:
                await self._originals.get(image_id)
            except ImageNotFound:
                return False
            except StoreUnavailable:
                if await self._closes_within(LOOK_AGAIN_S):
                    return False
            else:
                return True

    async def _closes_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self._is_closing.wait(), seconds)
        return False
