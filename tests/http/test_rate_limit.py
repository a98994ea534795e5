"""How much one client may upload: pictures and bytes, by key."""

import asyncio
from typing import Any

import http_sf
import pytest
from falcon.testing import Result

from asgilook.http.access import hash_key
from tests import pictures
from tests.http.client import Client, serving
from tests.http.test_forms import TYPE, File, form

PICTURE = pictures.upload((200, 100))
KEY, OTHER_KEY = "one-key", "other-key"
KEYS = f"app:{hash_key(KEY).hex()},{hash_key(OTHER_KEY).hex()}"
# Longer than any run of the suite, so that no clock plays a part.
DAY_S = 86_400


async def post(client: Client, body: bytes = PICTURE, key: str = KEY, **fields: str) -> Result:
    usual = {
        "host": "127.0.0.1",
        "content-type": "image/jpeg",
        "content-length": str(len(body)),
        "authorization": f"Bearer {key}",
    }
    named = usual | {name.replace("_", "-"): value for name, value in fields.items()}
    # An empty one is none at all.
    raw = [(name.encode(), value.encode()) for name, value in named.items() if value]
    return await client.request("POST", "/images", body=body, extras={"headers": raw})


def left(result: Result) -> dict[str, int]:
    """Read what is left of each quota."""
    items: Any = http_sf.parse(result.headers["ratelimit"].encode(), tltype="list")
    return {name: parameters["r"] for name, parameters in items}


def assert_limited(result: Result) -> None:
    assert (result.status_code, result.json["code"]) == (429, "rate-limited")
    assert result.headers["content-type"] == "application/problem+json"
    assert result.headers["cache-control"] == "no-store"
    assert 1 <= int(result.headers["retry-after"]) <= DAY_S
    assert "ratelimit" in result.headers
    assert "ratelimit-policy" in result.headers


async def test_a_key_may_upload_so_often_and_no_more() -> None:
    async with serving(api_keys=KEYS, rate_limit_uploads="2/day") as client:
        results = [await post(client) for _ in range(3)]
        assert [result.status_code for result in results[:2]] == [201, 201]
        assert [left(result)["uploads"] for result in results] == [1, 0, 0]
        assert_limited(results[2])
        assert len(await client.listed()) == 2
        assert (await post(client, key=OTHER_KEY)).status_code == 201


async def test_of_many_at_once_no_more_get_through() -> None:
    async with serving(api_keys=KEYS, rate_limit_uploads="3/day") as client:
        results = await asyncio.gather(*(post(client) for _ in range(9)))
        assert sorted(result.status_code for result in results) == [201] * 3 + [429] * 6


async def test_the_answer_tells_the_policy_and_where_it_leads() -> None:
    async with serving(api_keys=KEYS, rate_limit_bytes="50M/10 minutes") as client:
        result = await post(client)
        assert result.headers["ratelimit-policy"] == (
            '"uploads";q=600;w=60, '
            '"bytes";q=50000000;qu="content-bytes";w=600, '
            '"rendering";q=60;qu="seconds";w=60'
        )
        assert left(result) == {"uploads": 599, "bytes": 50_000_000 - len(PICTURE), "rendering": 60}


async def test_a_client_is_who_shows_the_key_wherever_it_is() -> None:
    options: dict[str, Any] = {
        "api_keys": KEYS,
        "rate_limit_uploads": "1/day",
        "trusted_proxies": "127.0.0.1",
    }
    async with serving(**options) as client:
        assert (await post(client, x_forwarded_for="203.0.113.9")).status_code == 201
        assert_limited(await post(client, x_forwarded_for="203.0.113.10"))


async def test_each_file_of_a_form_is_an_upload() -> None:
    async with serving(api_keys=KEYS, rate_limit_uploads="3/day") as client:
        files = form([File(PICTURE), File(b"hello", "text/plain"), File(PICTURE)])
        assert left(await post(client, files, content_type=TYPE))["uploads"] == 0
        assert_limited(await post(client))


@pytest.mark.parametrize(
    ("body", "fields", "status"),
    [(b"hello", {}, 415), (PICTURE, {"content_digest": "sha-256=:YWJj:"}, 400)],
    ids=["no picture", "a wrong digest"],
)
async def test_an_upload_that_is_refused_is_one_as_well(
    body: bytes, fields: dict[str, str], status: int
) -> None:
    async with serving(api_keys=KEYS, rate_limit_uploads="2/day") as client:
        result = await post(client, body, **fields)
        assert (result.status_code, left(result)["uploads"]) == (status, 1)


async def test_who_may_not_write_uses_nobody_s_quota_up() -> None:
    async with serving(api_keys=KEYS, rate_limit_uploads="1/day") as client:
        for result in [await post(client, key="wrong"), await post(client, content_type="a/b")]:
            assert result.status_code in {401, 415}
            assert "ratelimit" not in result.headers
        assert (await post(client)).status_code == 201


async def test_a_body_beyond_the_quota_is_refused_before_it_is_read() -> None:
    small: dict[str, Any] = {"max_upload_bytes": 100_000, "rate_limit_bytes": "100k/day"}
    async with serving(api_keys=KEYS, **small) as client:
        assert (await post(client, bytes(60_000))).status_code == 415
        # The announced body never comes: whoever waited for it would answer 400.
        result = await post(client, b"", content_length="60000")
        assert_limited(result)
        assert left(result)["bytes"] == 40_000
        assert result.headers["connection"] == "close"
        assert (await post(client)).status_code == 201


async def test_a_body_of_unknown_length_is_counted_as_it_comes() -> None:
    small: dict[str, Any] = {"max_upload_bytes": 100_000, "rate_limit_bytes": "100k/day"}
    async with serving(api_keys=KEYS, **small) as client:
        chunked: dict[str, Any] = {"transfer_encoding": "chunked", "content_length": ""}
        result = await post(client, bytes(60_000), **chunked)
        assert left(result)["bytes"] == 40_000
        result = await post(client, bytes(110_000), **chunked)
        assert (result.status_code, left(result)["bytes"]) == (413, 0)
        assert_limited(await post(client, **chunked))


async def test_without_keys_this_machine_is_counted_where_addresses_are_known() -> None:
    for proxies, status in ((None, 201), ("direct", 429)):
        async with serving(trusted_proxies=proxies, rate_limit_uploads="1/day") as client:
            await client.add(PICTURE)
            assert (await client.post(PICTURE, "image/jpeg")).status_code == status


async def test_what_has_no_limit_is_not_told() -> None:
    none: dict[str, Any] = {
        f"rate_limit_{name}": "none" for name in ("uploads", "bytes", "rendering")
    }
    async with serving(api_keys=KEYS, **none) as client:
        result = await post(client)
        assert result.status_code == 201
        assert "ratelimit" not in result.headers
