"""Thumbnails: from the cache, or made of the original for everyone who asks at that moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pickle import PickleBuffer
from typing import Any
from uuid import UUID

from asgilook.cache import Cache, Entry
from asgilook.codec import render, render_variant, rungs_cost_bytes, variant_cost_bytes
from asgilook.errors import AsgilookError, ImageNotFound, ThumbnailNotFound
from asgilook.fleet import Entries, Fleet
from asgilook.image import Format, Image, Size, ladder, strong_etag
from asgilook.keeper import Keeper
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


@dataclass(frozen=True, slots=True)
class _Rendering:
    """Something to be made of an original."""

    work: str
    kind: Format
    cost_bytes: Callable[[Size], int]
    """What it takes, by the size of the original."""
    render: Callable[..., Any]
    """Makes it of the original's bytes, in another process."""
    named: Callable[[Any], Mapping[str, bytes]]
    """Gives the names of what was made."""


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
        self._keeper = Keeper(cache, originals)
        self._fleet = Fleet(cache, self._keeper.check)
        self._behind: dict[tuple[UUID, str], asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Call off what is being made, and finish keeping what was."""
        self._keeper.close()
        await self._fleet.close()
        await asyncio.gather(*self._behind.values())

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
            rungs = ladder(await self._originals.size(image_id), self._options.min_side)
            if size not in rungs or max(size) > kind.max_side:
                raise ThumbnailNotFound(name)
        # JPEG rungs are cheap beside the decode that they share; each of the others is not.
        if kind is Format.JPEG:
            rendering = self._rendering_of_rungs("ladder", rungs, kind)
        else:
            rendering = self._rendering_of_rungs(name, [size], kind)
        if kind is Format.AVIF and self._workers.are_busy(self._fleet.others(image_id, name)):
            self._meter.count(LOOKUPS, "stand-in")
            self._make_behind(image_id, name, rendering)
            return await self._stand_in(image_id, size)
        return await self._make(image_id, name, rendering)

    async def _stand_in(self, image_id: UUID, size: Size) -> StandIn:
        webp = await self._cache.get(image_id, _name(size, Format.WEBP))
        return StandIn(Format.WEBP if webp else Format.JPEG)

    def _make_behind(self, image_id: UUID, name: str, rendering: _Rendering) -> None:
        """Make a thumbnail that nobody waits for, unless enough are being made already."""
        make = partial(self._render, image_id, rendering)

        async def make_it() -> None:
            # Given up where there is too much to do, say, or at the end: somebody will ask again.
            with contextlib.suppress(AsgilookError, asyncio.CancelledError):
                await self._fleet.make(image_id, name, name, make)

        key = image_id, name
        if key not in self._behind and len(self._behind) < BEHIND:
            task = self._behind[key] = asyncio.create_task(make_it())
            task.add_done_callback(lambda _: self._behind.pop(key))

    async def get_variant(self, image_id: UUID, variant: Variant) -> Thumbnail:
        """Give a thumbnail off the ladder. Raises `ImageNotFound` and `Overloaded`."""
        entry = await self._cache.get(image_id, variant.name)
        if entry:
            return self._hit(entry)
        return await self._make(image_id, variant.name, self._rendering_of_variant(variant))

    def _hit(self, entry: Entry) -> Thumbnail:
        self._meter.count(LOOKUPS, "hit")
        return Thumbnail(entry, is_hit=True)

    async def _make(self, image_id: UUID, name: str, rendering: _Rendering) -> Thumbnail:
        is_joined = self._fleet.is_making(image_id, rendering.work)
        self._meter.count(LOOKUPS, "coalesced" if is_joined else "miss")
        if not is_joined:
            await self._turn_away(image_id, rendering)
        make = partial(self._render, image_id, rendering)
        entry = await self._fleet.make(image_id, name, rendering.work, make)
        return Thumbnail(entry, is_hit=False)

    async def _turn_away(self, image_id: UUID, rendering: _Rendering) -> None:
        """Raise `Overloaded` where that will come of it, before it costs a flight and a lease."""
        size = self._originals.seen_size(image_id)
        if size is not None:
            is_made = partial(self._fleet.is_made_elsewhere, image_id, rendering.work)
            await self._workers.check_rendering(rendering.cost_bytes(size), is_made)

    @contextlib.contextmanager
    def _negatives(self) -> Iterator[None]:
        try:
            yield
        except (ImageNotFound, ThumbnailNotFound):
            self._meter.count(LOOKUPS, "negative")
            raise

    async def keep(self, image: Image, made: Mapping[Size, bytes], kind: Format) -> None:
        """Put thumbnails into the cache that were made elsewhere, with `codec.render`."""
        entries = await asyncio.to_thread(_entries, image, _named(made, kind), kind)
        await self._cache.put(image.id, entries)

    def _rendering_of_rungs(self, work: str, rungs: Sequence[Size], kind: Format) -> _Rendering:
        cost_bytes = partial(rungs_cost_bytes, sizes=rungs, kind=kind)
        make = partial(render, sizes=rungs, kind=kind, quality=self._options.quality)
        return _Rendering(work, kind, cost_bytes, make, partial(_named, kind=kind))

    def _rendering_of_variant(self, variant: Variant) -> _Rendering:
        cost_bytes = partial(variant_cost_bytes, variant=variant)
        make = partial(render_variant, variant=variant, quality=self._options.quality)
        return _Rendering(
            variant.name, variant.kind, cost_bytes, make, lambda body: {variant.name: body}
        )

    async def _render(self, image_id: UUID, rendering: _Rendering) -> Entries:
        cost_bytes = rendering.cost_bytes(await self._originals.size(image_id))
        # The original is read only when there is room for it.
        async with self._turn(image_id, rendering.work, cost_bytes) as turn:
            image, jpeg = await self._read(image_id)
            with self._meter.timed(RENDER_SECONDS, rendering.kind):
                made = await turn.run(partial(rendering.render, PickleBuffer(jpeg)))
            # Digests are nothing for the event loop.
            return await asyncio.to_thread(_entries, image, rendering.named(made), rendering.kind)

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


def _named(made: Mapping[Size, bytes], kind: Format) -> dict[str, bytes]:
    return {_name(size, kind): body for size, body in made.items()}


def _entries(image: Image, made: Mapping[str, bytes], kind: Format) -> Entries:
    return {
        name: Entry(kind.media_type, strong_etag(sha256(body).digest()), image.modified, body)
        for name, body in made.items()
    }
