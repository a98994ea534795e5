"""What one can do with images: add, describe, list, open, thumbnail, delete. Without HTTP."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from uuid import UUID

from asgilook import __version__
from asgilook.byte_range import ByteRange
from asgilook.cache import Cache, Entry, Found
from asgilook.cdn import PurgeState
from asgilook.claims import Claim, Claims
from asgilook.codec import UPLOAD_TYPES, Ingested, IngestOptions
from asgilook.errors import UploadRefused
from asgilook.flight import SingleFlight, to_its_end
from asgilook.ids import uuid7
from asgilook.image import Format, Image, Original, Size
from asgilook.intake import Intake
from asgilook.metrics import Meter
from asgilook.originals import Opened, Originals, Page
from asgilook.purges import Purges, forget
from asgilook.refusals import Refusals
from asgilook.store import Store
from asgilook.thumbnails import StandIn, Thumbnail, ThumbnailOptions, Thumbnails
from asgilook.tombstones import Tombstones
from asgilook.variant import Variant
from asgilook.workers import Workers


class Gallery:
    """The use-cases, on whatever store, cache and workers it is given.

    Raises the errors of `errors.py` and no others. `open_up` before use, `close` after.
    """

    def __init__(  # noqa: PLR0913 - the rooms below, and what they are told
        self,
        store: Store,
        cache: Cache,
        workers: Workers,
        options: IngestOptions,
        *,
        deleted_ttl_s: float,
        meter: Meter,
        purges: Purges,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        self._store = store
        self._cache = cache
        self._workers = workers
        self._intake = Intake(workers, Refusals(cache, _terms(options, workers)), options)
        self._new_id = new_id
        self._originals = Originals(
            store, Tombstones(store, deleted_ttl_s), partial(forget, purges, cache)
        )
        self._thumbnails = Thumbnails(
            self._originals,
            cache,
            workers,
            ThumbnailOptions(options.min_thumb_size, options.thumbnail_quality),
            meter,
        )
        self._claims = Claims(store)
        self._purges = purges
        self._adding: SingleFlight[tuple[str, bytes], Original] = SingleFlight()
        self._lifetime = AsyncExitStack()

    async def open_up(self) -> None:
        """Open the rooms below, in order."""
        for room in (self._store, self._cache, self._workers, self._purges):
            await room.open_up()
            self._lifetime.push_async_callback(room.close)
        self._lifetime.push_async_callback(self._thumbnails.close)
        self._lifetime.push_async_callback(self._adding.close)

    async def close(self) -> None:
        """Close the rooms below, in reverse."""
        await self._lifetime.aclose()

    async def add(self, upload: Path, sha256: bytes, claim_key: str | None = None) -> Original:
        """Make an image of an uploaded file: when this returns it is stored, listed and warm.

        The same upload with the same claim is the same image, however often it is sent. Raises
        `UploadRefused`, `Overloaded`, `StoreUnavailable`, and `ImageDeleted` where that image was
        deleted since.
        """
        if claim_key is None:
            return await self._make(upload, sha256, self._new_id())
        claim = Claim(claim_key, sha256)
        # Its file goes with the request, and others may have joined it.
        return await to_its_end(
            self._adding.run((claim.name, claim.sha256), partial(self._add_claimed, upload, claim))
        )

    async def _add_claimed(self, upload: Path, claim: Claim) -> Original:
        new_id = self._new_id()
        image_id = await self._claims.settle(claim, new_id)
        earlier = None if image_id == new_id else await self._originals.resume(image_id)
        return earlier or await self._make_claimed(upload, image_id, claim)

    async def _make_claimed(self, upload: Path, image_id: UUID, claim: Claim) -> Original:
        try:
            return await self._make(upload, claim.sha256, image_id, is_claimed=True)
        except UploadRefused:
            # No image will come of it, so its key is free for one that is sound.
            await self._claims.release(claim, image_id)
            raise

    async def _make(
        self, upload: Path, sha256: bytes, image_id: UUID, *, is_claimed: bool = False
    ) -> Original:
        async with self._intake.taken(upload, sha256) as made:
            image = Image(image_id, made.size, len(made.jpeg), made.placeholder)
            original = Original(image, made.sha256, made.source_type)
            # Half kept, a picture would lie in the store for ever, unlisted.
            return await to_its_end(self._keep(original, made, is_claimed=is_claimed))

    async def _keep(self, original: Original, made: Ingested, *, is_claimed: bool) -> Original:
        kept = await self._originals.keep(original, made.jpeg, is_claimed=is_claimed)
        if kept == original:
            await self._thumbnails.keep(kept.image, made.thumbnails, Format.JPEG)
        return kept

    async def get(self, image_id: UUID) -> Original:
        """Describe an image. Raises `ImageNotFound`."""
        return await self._originals.get(image_id)

    async def page(self, limit: int, after: UUID | None = None) -> Page:
        """List up to `limit` images, newest first, from the one after `after` on."""
        return await self._originals.page(limit, after)

    async def open(self, image_id: UUID, byte_range: ByteRange | None = None) -> Opened:
        """Start to deliver an original. Raises `ImageNotFound` and `RangeUnsatisfiable`."""
        return await self._originals.open(image_id, byte_range)

    def rungs(self, image: Image) -> list[Size]:
        """List the sizes an image comes in, largest first."""
        return self._thumbnails.rungs(image)

    async def thumbnail(self, image_id: UUID, size: Size, kind: Format) -> Thumbnail | StandIn:
        """Give a thumbnail, from the cache or made now; or what to take until it is made.

        Raises `ImageNotFound`, `ThumbnailNotFound` and `Overloaded`.
        """
        return await self._thumbnails.get(image_id, size, kind)

    async def cached(self, image_id: UUID, name: str) -> Entry | None:
        """Give a thumbnail by its name, such as `640x400.webp`, if it is in the cache."""
        return await self._cache.get(image_id, name)

    def at_hand(self, image_id: UUID, name: str) -> Entry | None:
        """Give a thumbnail by its name if it is in this process's memory."""
        return self._cache.at_hand(image_id, name)

    def find_cached(self, image_id: UUID, name: str, found: Found) -> None:
        """Look a thumbnail up as `cached` does, for who has no task: see `Cache.find`."""
        self._cache.find(image_id, name, found)

    async def is_cache_well(self) -> bool:
        """Tell whether the cache works; without it everything does, only slower."""
        return await self._cache.is_well()

    async def variant(self, image_id: UUID, variant: Variant) -> Thumbnail:
        """Give a thumbnail off the ladder. Raises `ImageNotFound` and `Overloaded`."""
        return await self._thumbnails.get_variant(image_id, variant)

    async def delete(self, image_id: UUID) -> PurgeState:
        """Forget an image and all that was made of it, for good. Raises `ImageNotFound`.

        Gives whether the CDN has taken the order to forget it too, or is still to be told.

        Whoever is interrupted leaves either all of it or, behind the tombstone, what `asgilook
        fsck` removes: never a thumbnail of a picture that is gone.
        """
        image = await self._originals.bury(image_id)
        await self._originals.clear_away(image)
        return await self._purges.run(image_id)

    async def purge_state(self, image_id: UUID) -> PurgeState | None:
        """Tell whether the CDN knows of a deletion. Raises `QueueUnavailable`."""
        return await self._purges.state(image_id)


def _terms(options: IngestOptions, workers: Workers) -> str:
    """Tell what it depends on whether an upload is refused; another release may read more."""
    limits = options.limits
    bounds = f"{limits.max_pixels} {limits.max_cost_bytes} {workers.decode_s}"
    return f"{__version__} {bounds} {' '.join(UPLOAD_TYPES)}"
