"""Pictures and their records, held against each other.

Pictures come in the order of their ids, oldest first, and records newest first. So the pictures are
taken page by page, and for each page the records of the same stretch of ids are listed: the memory
that it takes does not depend on how many images there are.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from operator import attrgetter
from uuid import UUID

from asgilook.errors import ImageDeleted, ImageNotFound
from asgilook.fsck.bench import PAGE, Bench, each
from asgilook.fsck.findings import Finding, Kind
from asgilook.ids import parse_id
from asgilook.image import INDEX_PREFIX, PICTURES_PREFIX, Image, index_bounds, picture_key

_PICTURE_KEY: Callable[[Image], str] = attrgetter("picture_key")
FIRST, LAST = UUID(int=0), UUID(int=(1 << 128) - 1)


@dataclass
class _Stretch:
    """The ids after one and up to another: whose pictures there are, and the records of these."""

    after: UUID
    upto: UUID
    records: dict[UUID, list[Image]] = field(default_factory=dict)

    def __contains__(self, image_id: UUID) -> bool:
        return self.after < image_id <= self.upto


class Pictures:
    """Finds pictures without a record, records without a picture, and records that are wrong.

    A picture that is not listed is listed, never removed: it is whole, its record may have been
    lost with others, and a client that got no answer may yet repeat its upload.
    """

    prefix = PICTURES_PREFIX

    def __init__(self, bench: Bench, *, is_quick: bool) -> None:
        self._bench = bench
        self._is_quick = is_quick

    async def findings(self) -> AsyncIterator[Finding]:
        """Go through all there is."""
        after = FIRST
        async for keys in self._bench.pages(PICTURES_PREFIX):
            ids = {key: _picture_id(key) for key in keys}
            ours = [image_id for image_id in ids.values() if image_id]
            for key in (key for key, image_id in ids.items() if image_id is None):
                yield Finding(Kind.FOREIGN, key)
            if ours:
                async for finding in self._hold(after, ours[-1], ours):
                    yield finding
                after = ours[-1]
        async for finding in self._hold(after, LAST, []):
            yield finding

    async def _hold(
        self, after: UUID, upto: UUID, pictures: Iterable[UUID]
    ) -> AsyncIterator[Finding]:
        """Hold pictures against the records of their stretch."""
        stretch = _Stretch(after, upto, {image_id: [] for image_id in pictures})
        async for keys in self._record_pages(stretch):
            async for finding in self._sort(stretch, keys):
                yield finding
        unlisted = [image_id for image_id, records in stretch.records.items() if not records]
        async for finding in each(unlisted, self._check_unlisted, picture_key):
            yield finding
        # Of two records one at least is wrong; of one alone only the picture itself can tell.
        enough = 2 if self._is_quick else 1
        records = [all_ for all_ in stretch.records.values() if len(all_) >= enough]
        async for finding in each(chain.from_iterable(records), self._check_record, _PICTURE_KEY):
            yield finding

    async def _record_pages(self, stretch: _Stretch) -> AsyncIterator[list[str]]:
        start, end = index_bounds(stretch.after, stretch.upto)
        # What is not ours may lie anywhere.
        start = INDEX_PREFIX if stretch.upto == LAST else start
        end = f"{INDEX_PREFIX}~" if stretch.after == FIRST else end
        while keys := await self._bench.store.scan(INDEX_PREFIX, after=start, limit=PAGE):
            yield [key for key in keys if key < end]
            if keys[-1] >= end:
                return
            start = keys[-1]

    async def _sort(self, stretch: _Stretch, keys: list[str]) -> AsyncIterator[Finding]:
        """Lay records beside their pictures; tell of those that have none."""
        alone: list[Image] = []
        for key in keys:
            record = Image.from_index_key(key)
            if record is None:
                yield Finding(Kind.FOREIGN, key)
            elif record.id in stretch.records:
                stretch.records[record.id].append(record)
            elif record.id in stretch:
                alone.append(record)
        async for finding in each(alone, self._check_record, _PICTURE_KEY):
            yield finding

    async def _check_unlisted(self, image_id: UUID) -> Finding | None:
        bench, key = self._bench, picture_key(image_id)
        try:
            image = (await bench.originals.get(image_id)).image
        except ImageNotFound:
            return Finding(Kind.FOREIGN, key) if await bench.has(key) else None
        if await bench.tombstones.find(image_id):
            return None  # `Deletions` sees to it.
        if bench.is_young_id(image_id) or await bench.has(image.index_key):
            return None
        return await bench.found(Kind.UNLISTED, key, partial(self._list, image))

    async def _check_record(self, record: Image) -> Finding | None:
        """See whether a record is that of a picture, and no other."""
        bench = self._bench
        try:
            image = (await bench.originals.get(record.id)).image
        except ImageNotFound:
            # A deletion removes the record first: it may have come by since that was listed.
            if not await bench.has(record.index_key):
                return None
            mend = partial(self._unlist, record)
            return await bench.found(Kind.NO_PICTURE, record.index_key, mend)
        if image == record:
            return None
        mend = partial(self._correct, record, image)
        return await bench.found(Kind.WRONG_RECORD, record.index_key, mend)

    async def _list(self, image: Image) -> None:
        # What was deleted meanwhile is gone already.
        with suppress(ImageDeleted):
            await self._bench.originals.enlist(image)

    async def _correct(self, record: Image, image: Image) -> None:
        await self._list(image)
        await self._bench.store.delete(record.index_key)

    async def _unlist(self, record: Image) -> None:
        await self._bench.store.delete(record.index_key)
        # An upload that was repeated may have brought the picture this very moment.
        with suppress(ImageNotFound):
            await self._bench.originals.resume(record.id)


def _picture_id(key: str) -> UUID | None:
    image_id = parse_id(key.removeprefix(PICTURES_PREFIX).removesuffix(".jpeg"))
    return image_id if image_id and picture_key(image_id) == key else None
