"""`/healthz` and `/readyz`."""

import pytest

from tests.fakes import Broken, MemoryStore
from tests.http.client import Client, serving


@pytest.mark.parametrize(
    ("path", "report"),
    [("/healthz", {"status": "ok"}), ("/readyz", {"status": "ok", "store": "ok"})],
)
async def test_a_healthy_service_says_so(client: Client, path: str, report: dict[str, str]) -> None:
    result = await client.get(path)
    assert (result.status_code, result.json) == (200, report)
    assert result.headers["content-type"] == "application/json"
    assert result.headers["cache-control"] == "no-store"
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")


async def test_a_service_without_its_store_lives_but_is_not_ready(store: MemoryStore) -> None:
    broken = Broken(store, on="scan")
    async with serving(broken) as client:
        assert (await client.get("/healthz")).status_code == 200
        result = await client.get("/readyz")
        assert (result.status_code, result.json["store"]) == (503, "unavailable")
        assert result.headers["cache-control"] == "no-store"
        broken.on = None
        assert (await client.get("/readyz")).status_code == 200
