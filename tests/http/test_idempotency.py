"""`Idempotency-Key`: an upload that is sent again is the same image."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from falcon.testing import Result

from tests import pictures, servers
from tests.fakes import Broken, MemoryStore
from tests.http.client import Client, serving
from tests.http.test_forms import TYPE as FORM
from tests.http.test_forms import File, form

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
ONE, OTHER = pictures.upload((64, 64)), pictures.upload((80, 64))
BROKEN = ONE[: len(ONE) // 2]


async def send(client: Client, body: bytes = ONE, key: str = KEY, **headers: str) -> Result:
    return await client.post(body, "image/jpeg", idempotency_key=key, **headers)


async def send_form(client: Client, *bodies: bytes, key: str = KEY) -> Result:
    return await client.post(form([File(body) for body in bodies]), FORM, idempotency_key=key)


def code(result: Result) -> tuple[int, str]:
    return result.status_code, result.json["code"]


def claimed(store: MemoryStore) -> list[str]:
    """Give the ids that claims stand for."""
    return [
        info.metadata["image"]
        for key, (info, _) in store.objects.items()
        if key.startswith("claims/")
    ]


async def test_the_same_upload_again_gets_the_same_answer(client: Client) -> None:
    first = await send(client)
    again = await send(client)
    assert (again.status_code, again.headers["location"]) == (201, first.headers["location"])
    assert again.json == first.json
    assert await client.listed() == [first.json["id"]]


async def test_the_same_upload_at_the_same_time_is_one_image(client: Client) -> None:
    answers = await asyncio.gather(*(send(client) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [201] * 8
    assert await client.listed() == [answers[0].json["id"]]
    assert {answer.text for answer in answers} == {answers[0].text}


async def test_without_a_key_every_upload_is_an_image(client: Client) -> None:
    first, second = await client.add(ONE), await client.add(ONE)
    assert first["id"] != second["id"]


async def test_another_key_is_another_image(client: Client) -> None:
    first, second = await send(client, key="one"), await send(client, key="other")
    assert first.json["id"] != second.json["id"]


async def test_the_same_key_with_another_body_is_refused(client: Client) -> None:
    first = await send(client)
    assert code(await send(client, OTHER)) == (422, "idempotency-key-reused")
    assert await client.listed() == [first.json["id"]]
    assert (await send(client)).json == first.json


async def test_of_two_bodies_at_the_same_time_one_gets_the_key(client: Client) -> None:
    answers = await asyncio.gather(send(client, ONE), send(client, OTHER))
    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert len(await client.listed()) == 1


async def test_a_key_is_the_same_with_and_without_the_quotes_of_a_string(client: Client) -> None:
    plain, quoted = await send(client, key=KEY), await send(client, key=f'"{KEY}"')
    assert quoted.json == plain.json


async def test_a_key_may_be_long_and_of_any_printable_characters(client: Client) -> None:
    for key in ("k" * 255, "!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"):
        assert (await send(client, key=key)).status_code == 201


async def test_a_key_that_is_none_is_refused_and_nothing_stored(
    client: Client, store: MemoryStore
) -> None:
    unbalanced = ('"', f'"{KEY}', f'{KEY}"', 'a"b')
    for key in ("", '""', *unbalanced, "two words", "k" * 256, "schlüssel"):
        assert code(await send(client, key=key)) == (400, "idempotency-key-malformed"), key
    assert store.objects == {}


async def test_what_one_client_chose_means_nothing_for_another() -> None:
    hashes = tuple(sha256(key).hexdigest() for key in (b"alice", b"bob"))
    async with serving(api_keys=hashes) as client:
        alice = await send(client, authorization="Bearer alice")
        bob = await send(client, OTHER, authorization="Bearer bob")
        alice_again = await send(client, authorization="bearer  alice")
    assert (alice.status_code, bob.status_code) == (201, 201)
    assert alice.json["id"] != bob.json["id"]
    assert alice_again.json == alice.json


@pytest.mark.parametrize(
    "prefix", ["images/", "index/"], ids=["before the picture", "before its record"]
)
async def test_a_retry_completes_what_a_failure_interrupted(prefix: str) -> None:
    store = MemoryStore()
    broken = Broken(store, "put", prefix)
    async with serving(broken) as client:
        assert code(await send(client)) == (503, "store-unavailable")
        assert await client.listed() == []
        broken.on = None
        completed = await send(client)
        assert await client.listed() == claimed(store) == [completed.json["id"]]
        assert (await client.get(completed.json["image"])).status_code == 200


@pytest.mark.parametrize("left", [("claims/",), ("claims/", "images/")], ids=" and ".join)
async def test_a_retry_completes_what_a_crash_left_behind(
    client: Client, store: MemoryStore, left: tuple[str, ...]
) -> None:
    first = await send(client)
    store.objects = {key: kept for key, kept in store.objects.items() if key.startswith(left)}
    assert await client.listed() == []
    assert (await send(client)).json == first.json
    assert await client.listed() == [first.json["id"]]
    assert (await client.get(first.json["image"])).status_code == 200


async def test_a_failure_before_the_claim_leaves_nothing() -> None:
    store = MemoryStore()
    async with serving(Broken(store, "put", "claims/")) as client:
        assert code(await send(client)) == (503, "store-unavailable")
    assert store.objects == {}


async def test_a_broken_picture_does_not_use_a_key_up(client: Client, store: MemoryStore) -> None:
    for _ in range(2):
        assert code(await send(client, BROKEN)) == (422, "picture-broken")
    assert store.objects == {}
    assert (await send(client, ONE)).status_code == 201


async def test_after_a_deletion_the_same_key_brings_nothing_back(client: Client) -> None:
    first = await send(client)
    await client.delete(f"/images/{first.json['id']}")
    assert code(await send(client)) == (410, "image-deleted")
    assert code(await send(client, OTHER)) == (422, "idempotency-key-reused")
    assert await client.listed() == []
    assert (await send(client, key="another")).status_code == 201


async def test_a_form_with_several_files_is_the_same_images_again(client: Client) -> None:
    first = await send_form(client, ONE, OTHER, ONE)
    again = await send_form(client, ONE, OTHER, ONE)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert len(await client.listed()) == 3


async def test_in_a_form_each_file_has_its_own_share_of_the_key(client: Client) -> None:
    first = await send_form(client, ONE, OTHER)
    mixed = await send_form(client, ONE, ONE)
    assert mixed.status_code == 207
    assert mixed.json[0] == first.json[0]
    assert mixed.json[1]["problem"]["code"] == "idempotency-key-reused"


async def test_a_form_tells_which_of_its_images_were_deleted_since(client: Client) -> None:
    first = await send_form(client, ONE, OTHER)
    await client.delete(f"/images/{first.json[1]['image']['id']}")
    again = await send_form(client, ONE, OTHER)
    assert again.status_code == 207
    assert again.json[0] == first.json[0]
    assert again.json[1]["problem"]["code"] == "image-deleted"


async def test_a_form_that_failed_in_the_middle_is_completed_by_a_retry(client: Client) -> None:
    first = await send_form(client, ONE, BROKEN)
    assert first.status_code == 207
    completed = await send_form(client, ONE, OTHER)
    assert completed.status_code == 201
    assert completed.json[0] == first.json[0]


def test_the_same_upload_to_two_processes_at_once_is_one_image(
    seaweedfs_url: str, bucket: str, tmp_path: Path
) -> None:
    servers.make_bucket(seaweedfs_url, bucket)
    settings = {"S3_BUCKET": bucket, "S3_ENDPOINT_URL": seaweedfs_url}
    with ExitStack() as running:
        urls = [
            running.enter_context(servers.service(servers.ServiceOptions(tmp_path, settings))).url
            for _ in range(2)
        ]
        with ThreadPoolExecutor(8) as threads:
            views = list(threads.map(_upload, urls * 4))
        assert all(view == views[0] for view in views)
        for url in urls:
            assert httpx.get(f"{url}/images").json() == [views[0]]


def _upload(url: str) -> Any:
    headers = {"content-type": "image/jpeg", "idempotency-key": KEY}
    made = httpx.post(f"{url}/images", content=pictures.upload(), headers=headers, timeout=60)
    assert made.status_code == 201, made.text
    return made.json()
