"""The promises of `asgilook/cache/base.py`, on every cache that there is."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from asgilook.cache import Cache, Entry
from asgilook.cache.memory import MemoryCache
from asgilook.cache.redis import RedisCache
from asgilook.cache.tiers import TieredCache
from asgilook.ids import uuid7
from tests.rooms import opened

MODIFIED = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)
LARGE = Entry("image/jpeg", '"large"', MODIFIED, bytes(range(256)) * 4096)
SMALL = Entry("image/webp", '"small"', MODIFIED, b"\x00small\xff")
EMPTY = Entry("image/avif", '"empty"', datetime(1970, 1, 1, tzinfo=UTC), b"")


def in_memory(url: str) -> Cache:
    return MemoryCache(limit_bytes=10_000_000, ttl_s=60)


def in_redis(url: str) -> Cache:
    return RedisCache(url, ttl_s=60)


def in_tiers(url: str) -> Cache:
    return TieredCache(MemoryCache(10_000_000, 60, renew=False), RedisCache(url, ttl_s=60))


@pytest.fixture(params=[in_memory, in_redis, in_tiers])
async def cache(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[Cache]:
    make: Callable[[str], Cache] = request.param
    async with opened(make(redis_url)) as made:
        yield made


async def test_a_rendering_comes_back_as_it_went_in(cache: Cache) -> None:
    image_id = uuid7()
    await cache.put(image_id, {"large": LARGE, "small": SMALL, "empty": EMPTY})
    assert await cache.get(image_id, "large") == LARGE
    assert await cache.get(image_id, "small") == SMALL
    assert await cache.get(image_id, "empty") == EMPTY


@pytest.mark.parametrize(("name", "expected"), [("a", LARGE), ("b", None)])
async def test_who_has_no_task_is_told_once_what_get_gives(
    cache: Cache, name: str, expected: Entry | None
) -> None:
    image_id, told = uuid7(), list[Entry | None]()
    await cache.put(image_id, {"a": LARGE})
    cache.find(image_id, name, lambda found, spent_s: told.append(found))  # noqa: ARG005
    assert await cache.get(image_id, name) == expected
    assert told == [expected]


async def test_what_is_at_hand_is_what_get_gives_or_nothing(cache: Cache) -> None:
    image_id = uuid7()
    assert cache.at_hand(image_id, "a") is None
    await cache.put(image_id, {"a": LARGE})
    assert cache.at_hand(image_id, "a") in {LARGE, None}
    await cache.drop(image_id)
    assert cache.at_hand(image_id, "a") is None


async def test_what_was_never_put_is_a_miss(cache: Cache) -> None:
    image_id = uuid7()
    assert await cache.get(image_id, "small") is None
    await cache.put(image_id, {"large": LARGE})
    assert await cache.get(image_id, "small") is None
    assert await cache.get(uuid7(), "large") is None


async def test_later_renderings_join_the_earlier_ones_and_replace_their_like(cache: Cache) -> None:
    image_id = uuid7()
    await cache.put(image_id, {"a": LARGE, "b": LARGE})
    await cache.put(image_id, {"b": SMALL, "c": EMPTY})
    found = [await cache.get(image_id, name) for name in "abc"]
    assert found == [LARGE, SMALL, EMPTY]


async def test_images_do_not_share_their_renderings(cache: Cache) -> None:
    one, other = uuid7(), uuid7()
    await cache.put(one, {"a": LARGE})
    await cache.put(other, {"a": SMALL})
    assert await cache.get(one, "a") == LARGE
    assert await cache.get(other, "a") == SMALL


async def test_what_is_dropped_is_gone_with_all_its_renderings_and_no_others(cache: Cache) -> None:
    one, other = uuid7(), uuid7()
    await cache.put(one, {"a": LARGE, "b": SMALL})
    await cache.put(other, {"a": SMALL})
    await cache.drop(one)
    assert await cache.get(one, "a") is None
    assert await cache.get(one, "b") is None
    assert await cache.get(other, "a") == SMALL


async def test_a_dropped_image_does_not_come_back(cache: Cache) -> None:
    image_id, other = uuid7(), uuid7()
    assert await cache.put(image_id, {"a": LARGE})
    await cache.drop(image_id)
    assert not await cache.put(image_id, {"a": SMALL})
    assert await cache.get(image_id, "a") is None
    assert await cache.put(other, {"a": SMALL})


async def test_an_image_that_was_never_there_can_be_dropped(cache: Cache) -> None:
    image_id = uuid7()
    await cache.drop(image_id)
    await cache.drop(image_id)
    assert not await cache.put(image_id, {"a": LARGE})
    assert await cache.get(image_id, "a") is None


async def test_one_at_a_time_has_the_lease_for_a_piece_of_work(cache: Cache) -> None:
    image_id = uuid7()
    lease = await cache.lease(image_id, "ladder")
    assert lease is not None
    assert await cache.lease(image_id, "ladder") is None
    await lease.release()
    assert await cache.lease(image_id, "ladder") is not None


async def test_other_work_and_other_images_have_leases_of_their_own(cache: Cache) -> None:
    image_id = uuid7()
    asked = [(image_id, "ladder"), (image_id, "other"), (uuid7(), "ladder")]
    assert None not in [await cache.lease(*work) for work in asked]


async def test_a_lease_is_nothing_that_is_dropped_or_found(cache: Cache) -> None:
    image_id = uuid7()
    assert await cache.lease(image_id, "a") is not None
    assert await cache.get(image_id, "a") is None
    await cache.drop(image_id)
    assert await cache.lease(image_id, "a") is None
