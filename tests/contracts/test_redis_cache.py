"""What a cache in Redis promises beyond every cache's."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import msgpack
import pytest
from redis import Redis

from asgilook.cache import Entry
from asgilook.cache.base import REFUSED_S
from asgilook.cache.memory import MemoryCache
from asgilook.cache.redis import RedisCache
from asgilook.cache.tiers import TieredCache
from asgilook.ids import uuid7
from tests.rooms import opened

ENTRY = Entry("image/jpeg", '"e"', datetime(2026, 11, 23, tzinfo=UTC), b"body")
TTL_S = 100

GARBAGE = [
    b"",
    b"junk",
    b"\xc1",
    b"\x93\x01",
    msgpack.packb(None),
    msgpack.packb({"version": 1}),
    msgpack.packb((1, "image/jpeg")),
    msgpack.packb((1, "image/jpeg", '"e"', "today", b"body")),
    msgpack.packb((1, "image/jpeg", '"e"', 2**62, b"body")),
    msgpack.packb((1, "image/jpeg", '"e"', 2**64 - 1, b"body")),
    msgpack.packb((2, "image/jpeg", '"e"', 0, b"body")),
    msgpack.packb((1, "image/jpeg", '"e"', 0, b"body", "more")),
]


@pytest.fixture
def raw(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


def key_of(raw: Redis, image_id: UUID) -> bytes:
    """Find the one key that an image has in Redis."""
    (key,) = raw.scan_iter(f"*{image_id}*", count=10_000)
    assert isinstance(key, bytes)
    return key


async def test_an_image_has_one_key_and_deleting_it_forgets_everything(
    redis_url: str, raw: Redis
) -> None:
    cache, image_id = RedisCache(redis_url, TTL_S), uuid7()
    async with opened(cache):
        await cache.put(image_id, {"a": ENTRY, "b": ENTRY})
        raw.delete(key_of(raw, image_id))
        assert await cache.get(image_id, "a") is None
        assert await cache.get(image_id, "b") is None


async def test_processes_share_what_each_of_them_knows(redis_url: str) -> None:
    one, other, image_id = RedisCache(redis_url, TTL_S), RedisCache(redis_url, TTL_S), uuid7()
    async with opened(one), opened(other):
        await one.put(image_id, {"a": ENTRY})
        assert await other.get(image_id, "a") == ENTRY
        await other.drop(image_id)
        assert await one.get(image_id, "a") is None


async def test_what_one_process_dropped_another_cannot_put(redis_url: str, raw: Redis) -> None:
    one, image_id = RedisCache(redis_url, TTL_S), uuid7()
    near = MemoryCache(1_000_000, 60, renew=False)
    other = TieredCache(near, RedisCache(redis_url, TTL_S))
    async with opened(one), opened(other):
        await one.drop(image_id)
        assert not await other.put(image_id, {"a": ENTRY})
        assert await near.get(image_id, "a") is None
        assert await other.get(image_id, "a") is None
        assert 0 < raw.ttl(key_of(raw, image_id)) <= REFUSED_S


async def test_an_image_has_a_lifetime_that_use_renews(redis_url: str, raw: Redis) -> None:
    cache, image_id = RedisCache(redis_url, TTL_S), uuid7()
    async with opened(cache):
        await cache.put(image_id, {"a": ENTRY, "b": ENTRY})
        key = key_of(raw, image_id)
        assert 0 < raw.ttl(key) <= TTL_S
        raw.expire(key, 10)
        await cache.get(image_id, "a")
        assert raw.ttl(key) > 10


@pytest.mark.parametrize("garbage", GARBAGE, ids=repr)
async def test_what_cannot_be_read_is_a_miss_until_it_is_put_again(
    redis_url: str, raw: Redis, garbage: bytes
) -> None:
    cache, image_id = RedisCache(redis_url, TTL_S), uuid7()
    async with opened(cache):
        await cache.put(image_id, {"a": ENTRY, "b": ENTRY})
        raw.hset(key_of(raw, image_id), "a", garbage)
        assert await cache.get(image_id, "a") is None
        assert await cache.get(image_id, "b") == ENTRY
        await cache.put(image_id, {"a": ENTRY})
        assert await cache.get(image_id, "a") == ENTRY


async def test_a_key_that_holds_something_else_is_a_miss_and_spoils_no_other(
    redis_url: str, raw: Redis
) -> None:
    cache, spoilt, sound = RedisCache(redis_url, TTL_S), uuid7(), uuid7()
    async with opened(cache):
        await cache.put(spoilt, {"a": ENTRY})
        await cache.put(sound, {"a": ENTRY})
        raw.set(key_of(raw, spoilt), "no hash")
        found = await asyncio.gather(*(cache.get(each, "a") for each in (spoilt, sound)))
        assert found == [None, ENTRY]
        await cache.put(spoilt, {"a": ENTRY})
        assert await cache.get(sound, "a") == ENTRY


async def test_a_hundred_lookups_at_once_find_each_its_own(redis_url: str) -> None:
    cache = RedisCache(redis_url, TTL_S)
    known = {uuid7(): Entry("image/jpeg", f'"{n}"', ENTRY.modified, b"") for n in range(100)}
    async with opened(cache):
        for image_id, entry in known.items():
            await cache.put(image_id, {"a": entry})
        found = await asyncio.gather(*(cache.get(image_id, "a") for image_id in known))
        assert found == list(known.values())
