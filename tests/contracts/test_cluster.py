"""Redis as a cluster: one node is a server like any other, several are left alone."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from asgilook import breaker
from asgilook.cache import Cache, Entry
from asgilook.cache.memory import MemoryCache
from asgilook.cache.redis import RedisCache
from asgilook.cache.tiers import TieredCache
from asgilook.ids import uuid7
from tests.patience import eventually
from tests.redises import Cluster, cluster
from tests.rooms import opened

ENTRY = Entry("image/jpeg", '"e"', datetime(2026, 11, 23, tzinfo=UTC), b"body")
TTL_S = 100
MANY = 20
"""So many images that each of three nodes has some of them."""


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probe often."""
    monkeypatch.setattr(breaker, "PROBE_S", 0.01)


@pytest.fixture(scope="module")
def redis() -> Iterator[Cluster]:
    with cluster(3) as running:
        yield running


@pytest.fixture
def shared(redis: Cluster) -> Iterator[Cluster]:
    """Give a cluster whose keys are shared out, for the length of a test."""
    redis.share_out()
    yield redis
    redis.take_back()


async def keeps_all(cache: Cache) -> bool:
    image_ids = [uuid7() for _ in range(MANY)]
    for image_id in image_ids:
        await cache.put(image_id, {"a": ENTRY})
    return all([await cache.get(image_id, "a") == ENTRY for image_id in image_ids])


async def test_a_node_that_has_all_keys_is_a_server_like_any_other(redis: Cluster) -> None:
    async with opened(RedisCache(redis.urls[0], TTL_S)) as cache:
        assert await keeps_all(cache)
        image_id = uuid7()
        lease = await cache.lease(image_id, "a")
        assert lease is not None
        assert await cache.lease(image_id, "a") is None
        await lease.release()
        await cache.put(image_id, {"a": ENTRY})
        await cache.drop(image_id)
        assert await cache.get(image_id, "a") is None
        assert not await cache.put(image_id, {"a": ENTRY})
        assert await cache.is_well()


async def test_one_of_several_nodes_is_left_alone_and_the_log_says_so_once(
    shared: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(RedisCache(shared.urls[0], TTL_S)) as cache:
        for _ in range(MANY):
            image_id = uuid7()
            assert await cache.put(image_id, {"a": ENTRY})
            assert await cache.get(image_id, "a") is None
            # Everybody makes what he needs.
            assert await cache.lease(image_id, "a") is not None
            assert await cache.lease(image_id, "a") is not None
            await cache.drop(image_id)
        assert not await cache.is_well()
    told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "cluster of several nodes" in told[0]


async def test_what_is_dropped_at_one_node_is_not_served_from_another(shared: Cluster) -> None:
    one = TieredCache(MemoryCache(2**20, TTL_S), RedisCache(shared.urls[0], TTL_S))
    async with opened(one), opened(RedisCache(shared.urls[1], TTL_S)) as other:
        for _ in range(MANY):
            image_id = uuid7()
            await other.put(image_id, {"a": ENTRY})
            await one.drop(image_id)
            assert await other.get(image_id, "a") is None


async def test_a_cluster_that_grows_is_left_until_it_has_shrunk_again(
    redis: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with opened(RedisCache(redis.urls[0], TTL_S)) as cache:
        assert await keeps_all(cache)
        redis.share_out()
        assert not await keeps_all(cache)
        for _ in range(MANY):
            await cache.drop(uuid7())
        redis.take_back()
        await eventually(lambda: keeps_all(cache))
    assert len([line for line in caplog.messages if "left alone" in line]) == 1
    assert len([line for line in caplog.messages if "well again" in line]) == 1


async def test_a_node_that_has_no_keys_is_left_alone(redis: Cluster) -> None:
    async with opened(RedisCache(redis.urls[1], TTL_S)) as cache:
        assert not await keeps_all(cache)
        assert not await cache.is_well()
