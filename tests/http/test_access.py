"""Who may write. Reading is public."""

from typing import Any

import pytest
from falcon.testing import Result

from asgilook.http.access import hash_key
from tests import pictures
from tests.fakes import MemoryStore
from tests.http.client import Client, serving

KEY = "MVp7OnfBqyF34H55cihE4BAzxMhmDz1zxW543uTCN9I"
OTHER_KEY = "another-key"
HASHES = ",".join(hash_key(key).hex() for key in (KEY, OTHER_KEY))


async def post(client: Client, **details: Any) -> Result:
    """Upload a picture from somewhere, somehow."""
    details["headers"] = {"content-type": "image/jpeg", **details.get("headers", {})}
    return await client.request("POST", "/images", body=pictures.upload((200, 100)), **details)


@pytest.mark.parametrize(
    "authorization", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER  {KEY}", f"Bearer {OTHER_KEY}"]
)
@pytest.mark.parametrize("remote_addr", ["127.0.0.1", "203.0.113.9"])
async def test_who_shows_a_key_may_write_from_anywhere(
    store: MemoryStore, authorization: str, remote_addr: str
) -> None:
    async with serving(store, api_keys=HASHES) as client:
        who = {
            "headers": {"authorization": authorization, "x-forwarded-for": "203.0.113.9"},
            "remote_addr": remote_addr,
            "host": "pictures.test",
        }
        made = await post(client, **who)
        assert made.status_code == 201
        gone = await client.request("DELETE", f"/images/{made.json['id']}", **who)
        assert gone.status_code == 204


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {KEY[:-1]}",
        f"Bearer {KEY.lower()}",
        f"Bearer {KEY} {KEY}",
        f"Basic {KEY}",
        KEY,
        f"Bearer {HASHES.split(',', maxsplit=1)[0]}",
        "Bearer \u00e9",
    ],
)
async def test_who_shows_no_key_or_a_wrong_one_may_not_write(
    store: MemoryStore, authorization: str | None
) -> None:
    shown = {} if authorization is None else {"authorization": authorization}
    async with serving(store) as first:
        view = await first.add()
    async with serving(store, api_keys=HASHES) as client:
        for result in (
            await post(client, headers=shown),
            await client.delete(f"/images/{view['id']}", **shown),
        ):
            assert (result.status_code, result.json["code"]) == (401, "key-needed")
            assert result.headers["www-authenticate"] == 'Bearer realm="asgilook"'
        assert await client.listed() == [view["id"]]


@pytest.mark.parametrize(
    ("remote_addr", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.9", "localhost"),
        ("::1", "[::1]"),
        ("::1", "localhost"),
    ],
)
async def test_without_keys_this_machine_may_write(remote_addr: str, host: str) -> None:
    async with serving() as client:
        assert (await post(client, remote_addr=remote_addr, host=host)).status_code == 201


@pytest.mark.parametrize(
    "details",
    [
        {"remote_addr": "203.0.113.9"},
        {"remote_addr": "10.0.0.1"},
        {"remote_addr": "2001:db8::1"},
        {"remote_addr": None},
        {"remote_addr": "unix"},
        {"headers": {"x-forwarded-for": "127.0.0.1"}},
        {"headers": {"forwarded": "for=127.0.0.1"}},
        {"headers": {"forwarded": 'for="127.0.0.1:http"'}},
        {"headers": {"x-forwarded-host": "127.0.0.1"}},
        {"headers": {"x-real-ip": "127.0.0.1"}},
        {"headers": {"via": "1.1 proxy"}},
        {"headers": {"authorization": f"Bearer {KEY}"}, "remote_addr": "203.0.113.9"},
        {"host": "rebound.test"},
        {"headers": {"origin": "https://evil.test"}},
        {"headers": {"origin": "null"}},
    ],
    ids=str,
)
async def test_without_keys_nobody_else_may_write(
    client: Client, store: MemoryStore, details: dict[str, Any]
) -> None:
    view = await client.add()
    deletion = await client.request("DELETE", f"/images/{view['id']}", **details)
    for result in (await post(client, **details), deletion):
        assert (result.status_code, result.json["code"]) == (403, "write-forbidden")
    assert await client.listed() == [view["id"]]


async def test_a_proxy_that_is_believed_makes_nobody_local() -> None:
    async with serving(trusted_proxies="127.0.0.1") as client:
        assert (await post(client, headers={"x-forwarded-for": "127.0.0.1"})).status_code == 403


async def test_a_page_of_this_service_itself_may_write(client: Client) -> None:
    assert (await post(client, headers={"origin": "http://127.0.0.1"})).status_code == 201


async def test_whoever_may_not_write_is_told_so_before_anything_else() -> None:
    async with serving(api_keys=HASHES, max_upload_bytes=1024) as client:
        assert (await client.post(bytes(2000), "text/plain")).status_code == 401


@pytest.mark.parametrize("api_keys", [(), HASHES], ids=["no keys", "keys"])
async def test_anyone_may_read(store: MemoryStore, api_keys: object) -> None:
    async with serving(store) as first:
        view = await first.add()
    who: dict[str, Any] = {
        "remote_addr": "203.0.113.9",
        "host": "pictures.test",
        "headers": {"via": "1.1 cdn", "origin": "https://blog.test"},
    }
    async with serving(store, api_keys=api_keys) as client:
        paths = ("/images", f"/images/{view['id']}", view["image"], view["thumbnails"][0])
        for path in (*paths, "/healthz", "/readyz"):
            result = await client.request("GET", path, **who)
            assert result.status_code == 200, path
            assert result.headers["access-control-allow-origin"] == "*"
