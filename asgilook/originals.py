"""The originals and their listing: how images lie in a store."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from asgilook.byte_range import ByteRange
from asgilook.claims import claim_key
from asgilook.errors import (
    ImageNotFound,
    InvalidPage,
    ObjectExists,
    ObjectNotFound,
    StoreUnavailable,
)
from asgilook.image import INDEX_PREFIX, Image, Original, Size, index_position, picture_key
from asgilook.store import ObjectInfo, ObjectStream, Store

MAX_PAGE = 500
"""The most images that one page of a listing may have; a store's scan goes up to 1000 keys."""

REMEMBERED_SIZES = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the listing, newest first."""

    images: list[Image]
    next_after: UUID | None
    """The next page starts after this image; None on the last page."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An original on its way out; whoever has it closes its stream."""

    original: Original
    stream: ObjectStream


class Originals:
    """Keeps originals: a picture and a record in the listing for each.

    A picture is written before its record and removed after it, so that what is listed can
    always be fetched.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sizes: dict[UUID, Size] = {}

    async def keep(self, original: Original, jpeg: bytes) -> None:
        """Store and list an image: when this returns both are durable."""
        key = original.image.picture_key
        # With a claim, somebody who was sent the same upload may have been faster.
        with contextlib.suppress(*([ObjectExists] if original.claim else [])):
            await self._store.put(
                key, jpeg, content_type="image/jpeg", metadata=original.metadata()
            )
        try:
            await self.enlist(original.image)
        except BaseException:
            # Without a claim nobody can come back for this picture, nor rely on it.
            if not original.claim:
                with contextlib.suppress(StoreUnavailable):
                    await self._store.delete(key)
            raise

    async def enlist(self, image: Image) -> None:
        """See to it that a picture is listed."""
        with contextlib.suppress(ObjectExists):
            await self._store.put(image.index_key, b"", content_type="text/plain", metadata={})

    async def get(self, image_id: UUID) -> Original:
        """Describe an image. Raises `ImageNotFound`."""
        with _as_image_errors(image_id):
            return self._read(image_id, await self._store.stat(picture_key(image_id)))

    async def open(self, image_id: UUID, byte_range: ByteRange | None = None) -> Opened:
        """Start to deliver an original. Raises `ImageNotFound` and `RangeUnsatisfiable`."""
        with _as_image_errors(image_id):
            stream = await self._store.open(picture_key(image_id), byte_range)
            try:
                return Opened(self._read(image_id, stream.info), stream)
            except BaseException:
                await stream.close()
                raise

    async def page(self, limit: int, after: UUID | None = None) -> Page:
        """List up to `limit` images, newest first, from the one after `after` on."""
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidPage(f"limit {limit}")
        # Consoles mark a folder with an object of its name, which would come first.
        start = index_position(after) if after else INDEX_PREFIX
        # One more than the page holds tells whether there is a next one.
        keys = await self._store.scan(INDEX_PREFIX, after=start, limit=limit + 1)
        images = [image for key in keys[:limit] if (image := Image.from_index_key(key))]
        for image in images:
            self._remember(image)
        has_next = len(keys) > limit and images
        return Page(images, images[-1].id if has_next else None)

    async def size(self, image_id: UUID) -> Size:
        """Tell an image's size, without asking the store where it was seen lately."""
        return self._sizes.get(image_id) or (await self.get(image_id)).image.size

    async def delete(self, image_id: UUID) -> None:
        """Remove an image from the listing and the store. Raises `ImageNotFound`."""
        original = await self.get(image_id)
        image = original.image
        if original.claim:
            await self._store.delete(claim_key(original.claim))
        await self._store.delete(image.index_key)
        await self._store.delete(image.picture_key)
        self._sizes.pop(image_id, None)

    def _read(self, image_id: UUID, info: ObjectInfo) -> Original:
        original = Original.from_metadata(image_id, info.length_bytes, info.metadata)
        self._remember(original.image)
        return original

    def _remember(self, image: Image) -> None:
        self._sizes[image.id] = image.size
        if len(self._sizes) > REMEMBERED_SIZES:
            del self._sizes[next(iter(self._sizes))]


@contextlib.contextmanager
def _as_image_errors(image_id: UUID) -> Iterator[None]:
    try:
        yield
    except ObjectNotFound as error:
        raise ImageNotFound(str(image_id)) from error
    except (KeyError, ValueError) as error:
        raise ImageNotFound(f"{image_id}: an object of somebody else's") from error
