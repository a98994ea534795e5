"""Thumbnails: from the cache, or made of the original for everyone who asks at that moment."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from uuid import UUID

from asgilook.cache import Cache, Entry
from asgilook.codec import render
from asgilook.errors import ThumbnailNotFound
from asgilook.flight import SingleFlight
from asgilook.image import Format, Image, Size, ladder, strong_etag
from asgilook.originals import Originals
from asgilook.workers import Workers


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A thumbnail, and whether it was in the cache."""

    entry: Entry
    is_hit: bool


@dataclass(frozen=True, slots=True)
class ThumbnailOptions:
    """What thumbnails are like; the same for all of them."""

    min_side: int
    quality: int


class Thumbnails:
    """Serves the sizes of an image's ladder."""

    def __init__(
        self, originals: Originals, cache: Cache, workers: Workers, options: ThumbnailOptions
    ) -> None:
        self._originals = originals
        self._cache = cache
        self._workers = workers
        self._options = options
        self._flights: SingleFlight[tuple[UUID, Format, Size | None], dict[str, Entry]]
        self._flights = SingleFlight()
        self._aftermath: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Call off what is being made, and finish keeping what was."""
        await self._flights.close()
        await asyncio.gather(*self._aftermath)

    def rungs(self, image: Image) -> list[Size]:
        """List the sizes an image comes in, largest first."""
        return ladder(image.size, self._options.min_side)

    async def get(self, image_id: UUID, size: Size, kind: Format) -> Thumbnail:
        """Give a thumbnail.

        Raises `ImageNotFound`, `ThumbnailNotFound` and `Overloaded`.
        """
        name = _name(size, kind)
        entry = await self._cache.get(image_id, name)
        if entry:
            return Thumbnail(entry, is_hit=True)
        if size not in ladder(await self._originals.size(image_id), self._options.min_side):
            raise ThumbnailNotFound(name)
        # JPEG rungs are cheap beside the decode that they share; each of the others is not.
        alone = None if kind is Format.JPEG else size
        entries = await self._flights.run(
            (image_id, kind, alone), lambda: self._make(image_id, alone, kind)
        )
        return Thumbnail(entries[name], is_hit=False)

    async def keep(self, image: Image, made: Mapping[Size, bytes], kind: Format) -> None:
        """Put thumbnails into the cache that were made elsewhere, with `codec.render`."""
        await self._cache.put(image.id, _entries(image, made, kind))

    async def drop(self, image_id: UUID) -> None:
        """Forget the thumbnails of an image."""
        await self._cache.drop(image_id)

    async def _make(self, image_id: UUID, alone: Size | None, kind: Format) -> dict[str, Entry]:
        """Make one size, or all of them, and leave it to the cache without waiting for that."""
        opened = await self._originals.open(image_id)
        async with opened.stream as stream:
            jpeg = b"".join([piece async for piece in stream])
        image = opened.original.image
        sizes = [alone] if alone else self.rungs(image)
        made = await self._workers.render(partial(render, jpeg, sizes, kind, self._options.quality))
        entries = _entries(image, made, kind)
        task = asyncio.create_task(self._cache.put(image_id, entries))
        self._aftermath.add(task)
        task.add_done_callback(self._aftermath.discard)
        return entries


def _name(size: Size, kind: Format) -> str:
    return f"{size}.{kind}"


def _entries(image: Image, made: Mapping[Size, bytes], kind: Format) -> dict[str, Entry]:
    return {
        _name(size, kind): Entry(
            kind.media_type, strong_etag(sha256(body).digest()), image.modified, body
        )
        for size, body in made.items()
    }
