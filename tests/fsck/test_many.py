"""A check-up of more images than it holds in memory, and beside those who work."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from random import Random

import pytest

from asgilook.fsck import Kind, bench, pictures
from asgilook.image import Image
from asgilook.store import ObjectInfo
from asgilook.tombstones import tombstone_key
from tests.fakes import MemoryStore
from tests.fsck import shelves
from tests.fsck.shelves import DAY, check, image_of, keys, mended

COUNT = 60


@pytest.fixture
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "PAGE", 7)
    monkeypatch.setattr(pictures, "PAGE", 5)


@pytest.fixture
def images() -> list[Image]:
    """Give images of which several share a millisecond, others lie days apart."""
    return [image_of(DAY + timedelta(days=number // 4)) for number in range(COUNT)]


@pytest.mark.usefixtures("_small_pages")
@pytest.mark.parametrize("seed", range(5))
async def test_whatever_is_missing_is_found_wherever_the_pages_end(
    images: list[Image], seed: int
) -> None:
    store, chance = MemoryStore(), Random(seed)
    unlisted, alone = [], []
    for image in images:
        match chance.randrange(4):
            case 0:
                await shelves.put_picture(store, image)
                unlisted.append(image.picture_key)
            case 1:
                await shelves.put_record(store, image)
                alone.append(image.index_key)
            case _:
                await shelves.put_whole(store, image)
    for quick in (True, False):
        found = await check(store, quick=quick)
        assert [f.key for f in found if f.kind is Kind.UNLISTED] == sorted(unlisted)
        assert [f.key for f in found if f.kind is Kind.NO_PICTURE] == sorted(alone)
        assert len(found) == len(unlisted) + len(alone)
    await mended(store)
    assert len(await keys(store)) == 2 * (COUNT - len(alone))


@pytest.mark.usefixtures("_small_pages")
async def test_a_store_without_any_picture_loses_all_its_records(images: list[Image]) -> None:
    store = MemoryStore()
    for image in images:
        await shelves.put_record(store, image)
    assert await mended(store) == [Kind.NO_PICTURE] * COUNT
    assert await keys(store) == set()


@pytest.mark.usefixtures("_small_pages")
async def test_a_listing_that_was_lost_is_made_again(images: list[Image]) -> None:
    store = MemoryStore()
    for image in images:
        await shelves.put_picture(store, image)
    assert await mended(store) == [Kind.UNLISTED] * COUNT
    assert {key for key in await keys(store) if key.startswith("index/")} == {
        image.index_key for image in images
    }


class Busy(MemoryStore):
    """A store in which somebody else does something right before a call of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[tuple[str, str], Callable[[MemoryStore], Awaitable[None]]] = {}

    async def _meanwhile(self, call: str, key: str) -> None:
        if somebody := self.before.pop((call, key), None):
            await somebody(self)

    async def stat(self, key: str) -> ObjectInfo:
        await self._meanwhile("stat", key)
        return await super().stat(key)

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        await self._meanwhile("put", key)
        return await super().put(key, body, content_type=content_type, metadata=metadata)

    async def delete(self, key: str) -> None:
        await self._meanwhile("delete", key)
        await super().delete(key)


async def test_an_image_that_is_deleted_while_it_is_looked_at_is_no_finding() -> None:
    store, image = Busy(), image_of()
    await shelves.put_whole(store, image)
    store.before["stat", image.picture_key] = partial(shelves.delete, image=image)
    assert await check(store, repair=True) == []
    assert await keys(store) == {tombstone_key(image.id)}


async def test_an_image_that_is_deleted_while_it_is_listed_stays_deleted() -> None:
    store, image = Busy(), image_of()
    await shelves.put_picture(store, image)
    store.before["put", image.index_key] = partial(shelves.delete, image=image)
    assert [finding.kind for finding in await check(store, repair=True)] == [Kind.UNLISTED]
    assert await keys(store) == {tombstone_key(image.id)}


async def test_an_image_that_is_listed_while_it_is_looked_at_is_no_finding() -> None:
    store, image = Busy(), image_of()
    await shelves.put_picture(store, image)
    store.before["stat", image.index_key] = partial(shelves.put_record, image=image)
    assert await check(store) == []


async def test_a_picture_that_comes_while_its_record_is_removed_is_listed() -> None:
    store, image = Busy(), image_of()
    await shelves.put_record(store, image)
    store.before["delete", image.index_key] = partial(shelves.put_picture, image=image)
    assert [finding.kind for finding in await check(store, repair=True)] == [Kind.NO_PICTURE]
    assert await keys(store) == {image.picture_key, image.index_key}
