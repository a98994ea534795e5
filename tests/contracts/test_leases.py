"""What leases in Redis promise beyond those of every cache: they outlive nobody for long."""

import asyncio
from collections.abc import Iterator

import pytest
from redis import Redis

from asgilook.cache import lease
from asgilook.cache.redis import RedisCache
from asgilook.ids import uuid7
from tests.patience import eventually
from tests.rooms import opened

TTL_S = 100


@pytest.fixture
def raw(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_S", 0.4)


async def test_a_lease_is_one_for_all_processes(redis_url: str) -> None:
    image_id = uuid7()
    one, other = (RedisCache(redis_url, TTL_S) for _ in range(2))
    async with opened(one), opened(other):
        held = await one.lease(image_id, "a")
        assert held is not None
        assert await other.lease(image_id, "a") is None
        await held.release()
        assert await other.lease(image_id, "a") is not None


async def test_a_lease_is_renewed_for_as_long_as_its_holder_lives(
    redis_url: str, raw: Redis
) -> None:
    image_id = uuid7()
    key = f"asgilook:lease:{image_id}:a"

    async def is_renewed() -> bool:
        return raw.ttl(key) > 0

    async with opened(RedisCache(redis_url, TTL_S)) as cache:
        held = await cache.lease(image_id, "a")
        assert held is not None
        for _ in range(2):
            assert raw.persist(key)  # so that no busy machine lets it end
            await eventually(is_renewed)
        await held.release()
        assert not raw.exists(key)


@pytest.mark.usefixtures("_short")
async def test_a_lease_whose_holder_is_gone_is_another_s_soon(redis_url: str) -> None:
    image_id = uuid7()
    async with opened(RedisCache(redis_url, TTL_S)) as survivor:
        async with opened(RedisCache(redis_url, TTL_S)) as deceased:
            assert await deceased.lease(image_id, "a") is not None

        async def is_taken_over() -> bool:
            return await survivor.lease(image_id, "a") is not None

        await eventually(is_taken_over)


@pytest.mark.usefixtures("_short")
async def test_who_lost_a_lease_neither_renews_nor_releases_another_s(
    redis_url: str, raw: Redis
) -> None:
    image_id = uuid7()
    async with opened(RedisCache(redis_url, TTL_S)) as cache:
        held = await cache.lease(image_id, "a")
        assert held is not None
        raw.set(f"asgilook:lease:{image_id}:a", "another's", px=60_000)
        await asyncio.sleep(lease.LEASE_S)
        await held.release()
        assert raw.get(f"asgilook:lease:{image_id}:a") == b"another's"
        assert raw.pttl(f"asgilook:lease:{image_id}:a") > 1000 * lease.LEASE_S
