"""The originals and their listing: how images lie in a store."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from asgilook.byte_range import ByteRange
from asgilook.errors import (
    ImageDeleted,
    ImageNotFound,
    InvalidPage,
    ObjectExists,
    ObjectNotFound,
    StoreBroken,
    StoreUnavailable,
)
from asgilook.image import INDEX_PREFIX, Image, Original, Size, index_position, picture_key
from asgilook.store import ObjectInfo, ObjectStream, Store
from asgilook.tombstones import Tombstones

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
    always be fetched. A tombstone comes before any removal, and is looked for after the last write
    of whoever may have been overtaken by a deletion: so one of the two clears away what the other
    wrote, and a deletion is final. Whoever clears away what was served tells `forget` first: who
    wrote the tombstone may have got no further.
    """

    def __init__(
        self, store: Store, tombstones: Tombstones, forget: Callable[[UUID], Awaitable[None]]
    ) -> None:
        self._store = store
        self._tombstones = tombstones
        self._forget = forget
        self._sizes: dict[UUID, Size] = {}

    async def keep(self, original: Original, jpeg: bytes, *, is_claimed: bool) -> Original:
        """Store and list an image, and give what is stored: when this returns it is durable.

        Raises `ImageDeleted` where somebody deleted it meanwhile, made by a twin of this upload.
        """
        key, metadata = original.image.picture_key, original.metadata()
        try:
            await self._store.put(key, jpeg, content_type="image/jpeg", metadata=metadata)
        except ObjectExists:
            if not is_claimed:
                raise
            return await self._made_by_twin(original.image.id)
        if is_claimed:
            await self.enlist(original.image)
        else:
            await self._list_new(original.image)
        return original

    async def _made_by_twin(self, image_id: UUID) -> Original:
        """Give what a process made of the same upload that was faster; its settings may differ."""
        original = await self.resume(image_id)
        if original is None:
            raise StoreBroken(f"{image_id}: is there, and is not")
        return original

    async def _list_new(self, image: Image) -> None:
        """List an image whose id nobody knows, so that nobody has deleted it."""
        try:
            await self._list(image)
        except BaseException:
            # Nobody can come back for its picture, nor rely on it. Its record may be there for all
            # that, if only the answer was lost.
            with contextlib.suppress(StoreUnavailable):
                await self._remove(image)
            raise

    async def resume(self, image_id: UUID) -> Original | None:
        """Give the image that an earlier attempt made, listed; None if it did not get that far.

        Raises `ImageDeleted`.
        """
        try:
            info = await self._store.stat(picture_key(image_id))
        except ObjectNotFound:
            await self._tombstones.check(image_id)
            return None
        original = self._read(image_id, info)
        await self.enlist(original.image)
        return original

    async def enlist(self, image: Image) -> None:
        """See to it that a picture is listed. Raises `ImageDeleted`, and leaves nothing then."""
        await self._list(image)
        if await self._tombstones.find(image.id):
            await self.clear_away(image)
            raise ImageDeleted(str(image.id))

    async def _list(self, image: Image) -> None:
        self._tombstones.forget(image.id)
        with contextlib.suppress(ObjectExists):
            await self._store.put(image.index_key, b"", content_type="text/plain", metadata={})

    async def get(self, image_id: UUID) -> Original:
        """Describe an image. Raises `ImageNotFound`."""
        async with self._sought(image_id):
            return self._read(image_id, await self._store.stat(picture_key(image_id)))

    async def open(self, image_id: UUID, byte_range: ByteRange | None = None) -> Opened:
        """Start to deliver an original. Raises `ImageNotFound` and `RangeUnsatisfiable`."""
        async with self._sought(image_id):
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
        images: list[Image] = []
        has_next = True
        # One more than the page holds tells whether there is a next one.
        while has_next and len(images) <= limit:
            keys = await self._store.scan(INDEX_PREFIX, after=start, limit=limit + 1)
            images += [image for key in keys if (image := Image.from_index_key(key))]
            # What others put there takes no place in a page.
            has_next = len(keys) > limit
            start = keys[-1] if keys else start
        for image in images[:limit]:
            self._remember(image)
        return Page(images[:limit], images[limit - 1].id if len(images) > limit else None)

    async def size(self, image_id: UUID) -> Size:
        """Tell an image's size, without asking the store where it was seen lately."""
        return self.seen_size(image_id) or (await self.get(image_id)).image.size

    def seen_size(self, image_id: UUID) -> Size | None:
        """Tell the size of an image that was seen lately."""
        return self._sizes.get(image_id)

    async def bury(self, image_id: UUID) -> Image:
        """Decide that an image goes: from now on nobody brings it back. Raises `ImageNotFound`."""
        image = (await self.get(image_id)).image
        await self._tombstones.put(image_id)
        return image

    async def clear_away(self, image: Image) -> None:
        """Remove an image that is buried, when all that keep copies of it are told to forget it."""
        await self._forget(image.id)
        await self._remove(image)

    async def _remove(self, image: Image) -> None:
        await self._store.delete(image.index_key)
        await self._store.delete(image.picture_key)
        self._sizes.pop(image.id, None)

    @contextlib.asynccontextmanager
    async def _sought(self, image_id: UUID) -> AsyncIterator[None]:
        """Tell in the words of images what a store says of one; again and again without asking."""
        self._tombstones.recall(image_id)
        try:
            yield
        except ObjectNotFound as error:
            raise await self._tombstones.absence(image_id) from error

    def _read(self, image_id: UUID, info: ObjectInfo) -> Original:
        try:
            original = Original.from_metadata(image_id, info.length_bytes, info.metadata)
        except (KeyError, ValueError) as error:
            raise ImageNotFound(f"{image_id}: an object of somebody else's") from error
        self._remember(original.image)
        return original

    def _remember(self, image: Image) -> None:
        self._sizes[image.id] = image.size
        if len(self._sizes) > REMEMBERED_SIZES:
            del self._sizes[next(iter(self._sizes))]
