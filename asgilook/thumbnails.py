"""Thumbnails: from the cache, or made of the original for everyone who asks at that moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from uuid import UUID

from asgilook.cache import Cache, Entry
from asgilook.codec import render, render_variant, rungs_cost_bytes, variant_cost_bytes
from asgilook.errors import AsgilookError, ImageNotFound, StoreUnavailable, ThumbnailNotFound
from asgilook.fleet import Entries, Fleet, Maker
from asgilook.image import Format, Image, Size, ladder, strong_etag
from asgilook.metrics import Meter
from asgilook.metrics.catalogue import LOOKUPS, RENDER_SECONDS
from asgilook.originals import Originals
from asgilook.variant import Variant
from asgilook.workers import Turn, Workers

BEHIND = 4
"""How many AVIFs are made at once that nobody waits for; who asks for more asks again later."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A thumbnail, and whether it was in the cache."""

    entry: Entry
    is_hit: bool


@dataclass(frozen=True, slots=True)
class StandIn:
    """What to take while a thumbnail is being made: the same size in another format."""

    kind: Format


@dataclass(frozen=True, slots=True)
class ThumbnailOptions:
    """What thumbnails are like; the same for all of them."""

    min_side: int
    quality: int


class Thumbnails:
    """Serves the sizes of an image's ladder, and variants off it."""

    def __init__(
        self,
        originals: Originals,
        cache: Cache,
        workers: Workers,
        options: ThumbnailOptions,
        meter: Meter,
    ) -> None:
        self._originals = originals
        self._cache = cache
        self._workers = workers
        self._options = options
        self._meter = meter
        for result in ("hit", "miss", "coalesced", "stand-in", "negative"):
            meter.place(LOOKUPS, result)
        self._fleet = Fleet(cache, self._keep_if_there)
        self._behind: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Call off what is being made, and finish keeping what was."""
        await self._fleet.close()
        await asyncio.gather(*self._behind)

    def rungs(self, image: Image) -> list[Size]:
        """List the sizes an image comes in, largest first."""
        return ladder(image.size, self._options.min_side)

    async def get(self, image_id: UUID, size: Size, kind: Format) -> Thumbnail | StandIn:
        """Give a thumbnail of the ladder, or a stand-in for an AVIF that would keep one waiting.

        Raises `ImageNotFound`, `ThumbnailNotFound` and `Overloaded`.
        """
        name = _name(size, kind)
        entry = await self._cache.get(image_id, name)
        if entry:
            return self._hit(entry)
        with self._negatives():
            if size not in ladder(await self._originals.size(image_id), self._options.min_side):
                raise ThumbnailNotFound(name)
        # JPEG rungs are cheap beside the decode that they share; each of the others is not.
        if kind is Format.JPEG:
            work, make = "ladder", partial(self._make_rungs, image_id, "ladder", None, kind)
        else:
            work, make = name, partial(self._make_rungs, image_id, name, size, kind)
        if kind is Format.AVIF and self._workers.are_busy(self._fleet.others(image_id, work)):
            self._meter.count(LOOKUPS, "stand-in")
            self._make_behind(image_id, name, make)
            return await self._stand_in(image_id, size)
        return await self._make(image_id, name, work, make)

    async def _stand_in(self, image_id: UUID, size: Size) -> StandIn:
        webp = await self._cache.get(image_id, _name(size, Format.WEBP))
        return StandIn(Format.WEBP if webp else Format.JPEG)

    def _make_behind(self, image_id: UUID, name: str, make: Maker) -> None:
        """Make a thumbnail that nobody waits for, unless enough are being made already."""

        async def make_it() -> None:
            # Given up where there is too much to do, say, or at the end: somebody will ask again.
            with contextlib.suppress(AsgilookError, asyncio.CancelledError):
                await self._fleet.make(image_id, name, name, make)

        if len(self._behind) < BEHIND:
            task = asyncio.create_task(make_it())
            self._behind.add(task)
            task.add_done_callback(self._behind.discard)

    async def get_variant(self, image_id: UUID, variant: Variant) -> Thumbnail:
        """Give a thumbnail off the ladder. Raises `ImageNotFound` and `Overloaded`."""
        entry = await self._cache.get(image_id, variant.name)
        if entry:
            return self._hit(entry)
        make = partial(self._make_variant, image_id, variant)
        return await self._make(image_id, variant.name, variant.name, make)

    def _hit(self, entry: Entry) -> Thumbnail:
        self._meter.count(LOOKUPS, "hit")
        return Thumbnail(entry, is_hit=True)

    async def _make(self, image_id: UUID, name: str, work: str, make: Maker) -> Thumbnail:
        is_joined = self._fleet.is_making(image_id, work)
        self._meter.count(LOOKUPS, "coalesced" if is_joined else "miss")
        return Thumbnail(await self._fleet.make(image_id, name, work, make), is_hit=False)

    @contextlib.contextmanager
    def _negatives(self) -> Iterator[None]:
        try:
            yield
        except (ImageNotFound, ThumbnailNotFound):
            self._meter.count(LOOKUPS, "negative")
            raise

    async def keep(self, image: Image, made: Mapping[Size, bytes], kind: Format) -> None:
        """Put thumbnails into the cache that were made elsewhere, with `codec.render`."""
        await self._cache.put(image.id, _rung_entries(image, made, kind))

    async def drop(self, image_id: UUID) -> None:
        """Forget the thumbnails of an image."""
        await self._cache.drop(image_id)

    async def _keep_if_there(self, image_id: UUID, entries: Entries) -> None:
        """Put entries into the cache, and take them back if the image was deleted meanwhile.

        The cache refuses what was dropped lately; but it may forget that, as it may forget all.
        """
        await self._cache.put(image_id, entries)
        try:
            await self._originals.get(image_id)
        except (ImageNotFound, StoreUnavailable):
            await self._cache.drop(image_id)

    async def _make_rungs(
        self, image_id: UUID, work: str, alone: Size | None, kind: Format
    ) -> Entries:
        size = await self._originals.size(image_id)
        sizes = [alone] if alone else ladder(size, self._options.min_side)
        # The original is read only when there is room for it.
        cost_bytes = rungs_cost_bytes(size, sizes, kind)
        async with self._turn(image_id, work, cost_bytes) as turn:
            image, jpeg = await self._read(image_id)
            job = partial(render, jpeg, sizes, kind, self._options.quality)
            with self._meter.timed(RENDER_SECONDS, kind):
                # The digests too are nothing for the event loop.
                return await turn.run(lambda: _rung_entries(image, job(), kind))

    async def _make_variant(self, image_id: UUID, variant: Variant) -> Entries:
        size = await self._originals.size(image_id)
        cost_bytes = variant_cost_bytes(size, variant)
        async with self._turn(image_id, variant.name, cost_bytes) as turn:
            image, jpeg = await self._read(image_id)
            job = partial(render_variant, jpeg, variant, self._options.quality)
            with self._meter.timed(RENDER_SECONDS, variant.kind):
                return await turn.run(lambda: {variant.name: _entry(image, job(), variant.kind)})

    @contextlib.asynccontextmanager
    async def _turn(self, image_id: UUID, work: str, cost_bytes: int) -> AsyncIterator[Turn]:
        """Wait for a turn to render, for as long as somebody waits for what comes of it."""
        async with contextlib.AsyncExitStack() as stack:
            with self._fleet.optional(image_id, work):
                turn = await stack.enter_async_context(self._workers.rendering(cost_bytes))
            yield turn

    async def _read(self, image_id: UUID) -> tuple[Image, bytes]:
        opened = await self._originals.open(image_id)
        async with opened.stream as stream:
            return opened.original.image, await stream.rest()


def _name(size: Size, kind: Format) -> str:
    return f"{size}.{kind}"


def _rung_entries(image: Image, made: Mapping[Size, bytes], kind: Format) -> Entries:
    return {_name(size, kind): _entry(image, body, kind) for size, body in made.items()}


def _entry(image: Image, body: bytes, kind: Format) -> Entry:
    etag = strong_etag(sha256(body).digest())
    return Entry(kind.media_type, etag, image.modified, body)
