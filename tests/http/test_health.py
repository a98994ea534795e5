"""`/healthz` and `/readyz`."""

import pytest

from asgilook.cache.memory import MemoryCache
from asgilook.cache.redis import RedisCache
from asgilook.cache.tiers import TieredCache
from asgilook.errors import StoreBroken, StoreRefused, StoreTimeout, StoreUnavailable
from tests import servers
from tests.fakes import Broken, MemoryStore
from tests.http.client import Client, serving


@pytest.mark.parametrize(
    ("path", "report"),
    [
        ("/healthz", {"status": "ok"}),
        ("/readyz", {"status": "ok", "store": {"state": "ok"}, "cache": {"state": "ok"}}),
    ],
)
async def test_a_healthy_service_says_so(
    client: Client, path: str, report: dict[str, object]
) -> None:
    result = await client.get(path)
    assert (result.status_code, result.json) == (200, report)
    assert result.headers["content-type"] == "application/json"
    assert result.headers["cache-control"] == "no-store"
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (StoreUnavailable, "store-unavailable"),
        (StoreTimeout, "store-timeout"),
        (StoreRefused, "store-refused"),
        (StoreBroken, "store-broken"),
    ],
)
async def test_a_service_without_its_store_lives_but_is_not_ready(
    store: MemoryStore,
    caplog: pytest.LogCaptureFixture,
    kind: type[StoreUnavailable],
    code: str,
) -> None:
    broken = Broken(store, on="scan", kind=kind)
    async with serving(broken) as client:
        assert (await client.get("/healthz")).status_code == 200
        result = await client.get("/readyz")
        assert (result.status_code, result.json["status"]) == (503, "unwell")
        assert (result.json["store"]["state"], result.json["store"]["code"]) == ("unwell", code)
        assert result.json["cache"] == {"state": "ok"}
        assert result.headers["cache-control"] == "no-store"
        # The reason is for everybody, and what the store itself says for the log.
        assert "told to fail" not in result.text
        assert "told to fail" in caplog.text
        broken.on = None
        assert (await client.get("/readyz")).status_code == 200


async def test_a_service_without_redis_is_ready_and_says_what_is_wrong() -> None:
    away = RedisCache(f"redis://127.0.0.1:{servers.free_port()}", ttl_s=100)
    near = MemoryCache(10_000, 60)
    for cache in (away, TieredCache(near, away)):
        async with serving(cache=cache) as client:
            result = await client.get("/readyz")
            assert (result.status_code, result.json["status"]) == (200, "degraded")
            assert result.json["store"] == {"state": "ok"}
            assert result.json["cache"]["code"] == "cache-unavailable"


async def test_a_service_with_redis_is_ready(redis_url: str) -> None:
    async with serving(cache=RedisCache(redis_url, ttl_s=100)) as client:
        assert (await client.get("/readyz")).json["status"] == "ok"
