"""Redis behind Sentinel, which fails over."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis

from asgilook import breaker
from asgilook.cache import Cache, Entry
from asgilook.cache.redis import RedisCache
from asgilook.ids import uuid7
from asgilook.redis_client import CONNECTIONS
from tests.patience import eventually
from tests.redises import watched
from tests.rooms import opened

ENTRY = Entry("image/jpeg", '"e"', datetime(2026, 11, 23, tzinfo=UTC), b"body")
TTL_S = 100


async def keeps(cache: Cache) -> bool:
    image_id = uuid7()
    await cache.put(image_id, {"a": ENTRY})
    return await cache.get(image_id, "a") == ENTRY


async def test_more_at_once_than_there_are_connections_is_no_trouble(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image_ids = [uuid7() for _ in range(4 * CONNECTIONS)]
    with watched(tmp_path) as redis:
        async with opened(RedisCache(redis.url, TTL_S)) as cache:
            await asyncio.gather(*(cache.put(each, {"a": ENTRY}) for each in image_ids))
            assert await cache.get(image_ids[-1], "a") == ENTRY
    assert [record for record in caplog.records if record.name.startswith("asgilook")] == []


async def test_a_password_may_have_any_characters(tmp_path: Path) -> None:
    with watched(tmp_path) as redis, Redis(port=redis.primary.port) as client:
        client.acl_setuser("us:er", enabled=True, passwords=["+p@ss/w#rd"], keys="*")
        client.execute_command("ACL SETUSER", "us:er", "+@all", "&*")
        url = redis.url.replace("://", "://us%3Aer:p%40ss%2Fw%23rd@")
        async with opened(RedisCache(url, TTL_S)) as cache:
            assert await keeps(cache)


async def test_the_replica_is_used_when_the_primary_has_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "PROBE_S", 0.05)
    with watched(tmp_path) as redis:
        async with opened(RedisCache(redis.url, TTL_S)) as cache:
            assert await keeps(cache)
            lease = await cache.lease(uuid7(), "a")
            assert lease is not None
            await lease.release()
            redis.primary.stop()
            assert not await keeps(cache)
            await eventually(lambda: keeps(cache))
            redis.primary.start()
            assert await keeps(cache)
