"""What `asgilook fsck` finds in a store, and what it makes of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from asgilook.cache import Entry
from asgilook.cache.memory import MemoryCache
from asgilook.fsck import Finding, Kind
from asgilook.store import Store
from asgilook.tombstones import tombstone_key
from tests.fsck import shelves
from tests.fsck.shelves import check, image_of, keys, mended

MINUTE = timedelta(minutes=1)
MONTH = timedelta(days=31)


async def test_a_sound_store_is_clean_and_left_as_it_is(store: Store) -> None:
    for image in (image_of(), image_of(MINUTE)):
        await shelves.put_whole(store, image)
        await shelves.put_claim(store, image)
    deleted = image_of()
    await shelves.put_tombstone(store, deleted)
    await shelves.put_claim(store, deleted)
    before = await keys(store)
    assert await check(store, repair=True) == []
    assert await keys(store) == before


async def test_nothing_is_changed_by_looking(store: Store) -> None:
    await shelves.put_picture(store, image_of())
    await shelves.put_record(store, image_of())
    before = await keys(store)
    assert [finding.is_mended for finding in await check(store)] == [False, False]
    assert await keys(store) == before


async def test_a_picture_that_is_not_listed_is_listed(store: Store) -> None:
    image = image_of()
    await shelves.put_picture(store, image)
    assert await check(store) == [Finding(Kind.UNLISTED, image.picture_key)]
    assert await mended(store) == [Kind.UNLISTED]
    assert await keys(store) == {image.picture_key, image.index_key}


async def test_a_record_without_a_picture_is_removed(store: Store) -> None:
    image = image_of()
    await shelves.put_record(store, image)
    assert await mended(store) == [Kind.NO_PICTURE]
    assert await keys(store) == set()


@pytest.mark.parametrize("with_right_one", [True, False])
async def test_a_record_that_disagrees_with_its_picture_is_corrected(
    store: Store, *, with_right_one: bool
) -> None:
    image = image_of()
    await shelves.put_picture(store, image)
    await shelves.put_record(store, shelves.wrong(image))
    if with_right_one:
        await shelves.put_record(store, image)
    assert [each.kind for each in await check(store, quick=True)] == [Kind.WRONG_RECORD] * (
        with_right_one
    )
    assert await mended(store) == [Kind.WRONG_RECORD]
    assert await keys(store) == {image.picture_key, image.index_key}


@pytest.mark.parametrize("is_listed", [True, False])
async def test_a_deletion_that_did_not_get_to_its_end_is_finished(
    store: Store, *, is_listed: bool
) -> None:
    image = image_of()
    await (shelves.put_whole if is_listed else shelves.put_picture)(store, image)
    await shelves.put_tombstone(store, image)
    assert await mended(store) == [Kind.HALF_DELETED]
    assert await keys(store) == {tombstone_key(image.id)}


async def test_what_a_cache_still_has_of_a_deleted_image_goes(store: Store) -> None:
    image, cache = image_of(), MemoryCache(1 << 20, 60)
    entry = Entry("image/jpeg", '"e"', datetime(2026, 11, 23, tzinfo=UTC), b"body")
    await shelves.put_tombstone(store, image)
    await cache.put(image.id, {"a": entry})
    assert await check(store, cache) == []
    assert await cache.get(image.id, "a") == entry
    assert await check(store, cache, repair=True) == []
    assert await cache.get(image.id, "a") is None


async def test_a_tombstone_past_its_time_goes_and_the_claim_with_it(store: Store) -> None:
    image = image_of(2 * MONTH)
    await shelves.put_tombstone(store, image, MONTH)
    await shelves.put_claim(store, image)
    assert await mended(store) == [Kind.EMPTY_CLAIM, Kind.OLD_TOMBSTONE]
    assert await keys(store) == set()


async def test_a_claim_that_stands_for_no_image_goes(store: Store) -> None:
    await shelves.put_claim(store, image_of())
    assert await mended(store) == [Kind.EMPTY_CLAIM]
    assert await keys(store) == set()


async def test_what_came_in_or_went_lately_is_left_alone(store: Store) -> None:
    uploading, claiming, deleting = image_of(MINUTE), image_of(MINUTE), image_of()
    await shelves.put_picture(store, uploading)
    await shelves.put_claim(store, claiming)
    await shelves.put_whole(store, deleting)
    await shelves.put_tombstone(store, deleting, MINUTE)
    before = await keys(store)
    assert await check(store, repair=True) == []
    assert await keys(store) == before
    assert len(await check(store, older_than_s=0)) == 3


async def test_a_claim_of_a_time_that_there_is_no_date_of_is_left_alone(store: Store) -> None:
    last = UUID("ffffffff-ffff-7fff-bfff-ffffffffffff")
    claim = await shelves.put_claim(store, replace(image_of(), id=last))
    assert await check(store, repair=True) == []
    assert await keys(store) == {claim}


async def test_what_others_put_there_is_told_of_and_left_alone(store: Store) -> None:
    foreign = {
        "claims/readme",
        "images/cat.jpeg",
        f"images/{image_of().id}.jpeg",
        "index/readme",
        "index/zzz",
        "tombstones/readme",
    }
    for key in foreign:
        await store.put(key, b"", content_type="text/plain", metadata={})
    found = await check(store, repair=True)
    assert {finding.key for finding in found} == foreign
    assert {finding.kind for finding in found} == {Kind.FOREIGN}
    assert await keys(store) == foreign
