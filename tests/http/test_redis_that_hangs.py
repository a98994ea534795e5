"""A Redis that says nothing costs a process one moment, whatever is asked of it."""

from contextlib import AsyncExitStack
from typing import Any

import pytest

from asgilook import breaker
from asgilook.http.access import hash_key
from tests import pictures
from tests.cdn import api
from tests.contracts.outages import mute
from tests.http.client import serving

KEY = "a key"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Give settings by which Redis is asked for thumbnails, quotas and purges."""
    monkeypatch.setattr(breaker, "LIMIT_S", 0.1)
    monkeypatch.setattr(breaker, "PROBE_S", 3600.0)
    return {
        "api_keys": f"suite:{hash_key(KEY).hex()}",
        "trusted_proxies": "direct",
        # Whoever follows what others drop waits for nobody, and asks all the time.
        "memory_cache_bytes": 0,
        "cdn": "fastly",
        "cdn_id": "suite",
        "cdn_token": api.TOKEN,
    }


async def test_nothing_asks_again_until_it_is_well(settings: dict[str, Any]) -> None:
    async with mute() as (url, told), AsyncExitStack() as running:
        cdn = running.enter_context(api.fastly())
        client = await running.enter_async_context(
            serving(redis_url=url, cdn_url=(cdn.url,), **settings)
        )
        heard = len(told)
        made = await client.post(pictures.upload(), "image/jpeg", authorization=f"Bearer {KEY}")
        cold = made.json["thumbnails"][0].replace("jpeg", "webp")
        for method, path, status in (
            ("GET", cold, 200),
            ("DELETE", f"/images/{made.json['id']}", 204),
            ("GET", "/readyz", 200),
        ):
            fields = {"authorization": f"Bearer {KEY}"}
            assert (await client.request(method, path, headers=fields)).status_code == status
        assert len(told) == heard == 1
