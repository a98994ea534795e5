"""Sees to it that the cache keeps nothing of an image that is gone."""

import asyncio
import contextlib
from uuid import UUID

from asgilook.cache import Cache
from asgilook.errors import ImageNotFound, StoreUnavailable
from asgilook.originals import Originals

LOOK_AGAIN_S = 1.0
"""How often to ask a store that cannot tell whether an image is still there."""


class Keeper:
    """Looks after what was just kept: its image may have been deleted while it was made.

    The cache refuses what was dropped lately; but it may forget that, as it may forget all.
    """

    def __init__(self, cache: Cache, originals: Originals) -> None:
        self._cache = cache
        self._originals = originals
        self._is_closing = asyncio.Event()

    def close(self) -> None:
        """Wait no longer for what the store cannot tell; what the cache refuses has to do."""
        self._is_closing.set()

    async def check(self, image_id: UUID) -> None:
        """Drop what the cache has of an image that is gone.

        Asks until the store can tell: meanwhile whatever the cache has of the image is wanted most.
        """
        while await self._is_unsure(image_id) and not self._is_closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_closing.wait(), LOOK_AGAIN_S)

    async def _is_unsure(self, image_id: UUID) -> bool:
        try:
            await self._originals.get(image_id)
        except ImageNotFound:
            await self._cache.drop(image_id)
        except StoreUnavailable:
            return True
        return False
