"""What interrupted work leaves beside the pictures: claims, tombstones, files."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from uuid import UUID

from asgilook.claims import CLAIMS_PREFIX
from asgilook.errors import ImageNotFound, ObjectNotFound, StoreBroken
from asgilook.fsck.bench import Bench, each
from asgilook.fsck.findings import Finding, Kind
from asgilook.ids import parse_id
from asgilook.image import Image, picture_key
from asgilook.store.base import UNFINISHED_PREFIX
from asgilook.tombstones import TOMBSTONES_PREFIX

_ID_LENGTH = 36


class Leftovers(ABC):
    """Finds what is wrong with the objects under one prefix, each by itself."""

    prefix: str

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def findings(self) -> AsyncIterator[Finding]:
        """Go through all there is."""
        async for keys in self._bench.pages(self.prefix):
            async for finding in each(keys, self._check, str):
                yield finding

    @abstractmethod
    async def _check(self, key: str) -> Finding | None:
        """Tell what is wrong with an object, if anything."""

    def _name(self, key: str) -> str:
        return key.removeprefix(self.prefix)


class Claims(Leftovers):
    """Finds claims that stand for no image: nobody came back for them in time."""

    prefix = CLAIMS_PREFIX

    async def _check(self, key: str) -> Finding | None:
        try:
            told = (await self._bench.store.stat(key)).metadata
        except ObjectNotFound:
            return None
        image_id = parse_id(told.get("image", ""))
        if image_id is None:
            return Finding(Kind.FOREIGN, key)
        if self._bench.is_young_id(image_id) or await self._is_of_use(image_id):
            return None
        return await self._bench.found(
            Kind.EMPTY_CLAIM, key, partial(self._bench.store.delete, key)
        )

    async def _is_of_use(self, image_id: UUID) -> bool:
        if await self._bench.has(picture_key(image_id)):
            return True
        # That of an image that was deleted keeps it from coming back.
        deleted = await self._bench.tombstones.find(image_id)
        return deleted is not None and not self._bench.tombstones.is_over(deleted)


class Deletions(Leftovers):
    """Finds deletions that did not get to their end, and tombstones that are past their time."""

    prefix = TOMBSTONES_PREFIX

    async def _check(self, key: str) -> Finding | None:
        image_id = parse_id(self._name(key))
        if image_id is None:
            return Finding(Kind.FOREIGN, key)
        deleted = await self._bench.tombstones.find(image_id)
        if deleted is None or self._bench.is_young(deleted):
            return None
        try:
            image = (await self._bench.originals.get(image_id)).image
        except ImageNotFound:
            return await self._check_gone(key, image_id, deleted)
        except StoreBroken:
            # What its record is called cannot be read.
            return Finding(Kind.HALF_DELETED, key)
        if not await self._bench.cache.is_well():
            # Thumbnails that cannot be dropped now would outlive their picture.
            return Finding(Kind.HALF_DELETED, key)
        return await self._bench.found(Kind.HALF_DELETED, key, partial(self._finish, image))

    async def _check_gone(self, key: str, image_id: UUID, deleted: datetime) -> Finding | None:
        if not self._bench.tombstones.is_over(deleted):
            await self._forget(image_id)
            return None
        mend = partial(self._bench.store.delete, key)
        return await self._bench.found(Kind.OLD_TOMBSTONE, key, mend)

    async def _forget(self, image_id: UUID) -> None:
        """Drop it once more: who was to tell Redis may have ended before Redis was back."""
        if self._bench.is_repair:
            await self._bench.cache.drop(image_id)

    async def _finish(self, image: Image) -> None:
        # Who began it may have ended before the CDN was to be told.
        await self._bench.originals.clear_away(image)
        await self._bench.purges.run(image.id)


class Unfinished(Leftovers):
    """Finds files that somebody began to write and never finished."""

    prefix = UNFINISHED_PREFIX

    async def _check(self, key: str) -> Finding | None:
        began = parse_id(self._name(key)[:_ID_LENGTH])
        if began is None:
            return Finding(Kind.FOREIGN, key)
        if self._bench.is_young_id(began):
            return None
        return await self._bench.found(Kind.UNFINISHED, key, partial(self._bench.store.delete, key))
