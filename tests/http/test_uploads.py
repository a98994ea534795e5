"""`POST /images` with a picture as its body."""

import asyncio
import base64
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from falcon.testing import Result

from asgilook.cache.memory import MemoryCache
from asgilook.http.problems import ACCEPT_POST
from asgilook.pace import MAX_RETRY_AFTER_S
from tests import pictures
from tests.fakes import MemoryStore
from tests.http.client import Client, serving

KINDS = ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"]
NO_PICTURES = {
    "text": b"hello",
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a drawing": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "a kind of picture that is not taken": pictures.upload(kind="PPM"),
}


async def send(client: Client, body: bytes, **headers: str) -> Result:
    """Upload with exactly these fields beside the type and the host."""
    fields = {"host": "127.0.0.1", "content-type": "image/jpeg"} | headers
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    return await client.request("POST", "/images", body=body, extras={"headers": raw})


def refusal(result: Result) -> tuple[int, str]:
    """Tell how an upload was refused."""
    problem: dict[str, Any] = result.json
    return result.status_code, problem["code"]


@pytest.mark.parametrize("kind", KINDS)
async def test_every_type_that_is_taken_becomes_a_jpeg(client: Client, kind: str) -> None:
    made = await client.post(pictures.upload((320, 200), kind), f"image/{kind.lower()}")
    assert made.status_code == 201
    original = await client.get(made.headers["location"])
    assert original.headers["content-type"] == "image/jpeg"
    assert pictures.decode(original.content).format == "JPEG"
    assert pictures.decode(original.content).size == (320, 200)


@pytest.mark.parametrize(
    "announced", ["image/jpeg", "IMAGE/PNG", "image/png; a=b", "application/octet-stream", ""]
)
async def test_what_is_found_inside_counts_not_what_is_announced(
    client: Client, announced: str
) -> None:
    assert (await client.post(pictures.upload(kind="PNG"), announced)).status_code == 201


async def test_a_new_image_is_described_in_full(client: Client) -> None:
    made = await client.post(pictures.upload((640, 480)), "image/jpeg")
    view = made.json
    stem = f"/thumbnails/{view['id']}"
    sizes = ["320x240", "160x120"]
    small = {
        kind: [f"{stem}/{size}.{kind} {size.partition('x')[0]}w" for size in sizes]
        for kind in ("jpeg", "webp", "avif")
    }
    assert re.fullmatch(
        "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", view["id"]
    )
    assert view == {
        "id": view["id"],
        "image": f"/images/{view['id']}.jpeg",
        "modified": view["modified"],
        "size": [640, 480],
        "thumbnails": [f"{stem}/{size}.jpeg" for size in sizes],
        "created": view["created"],
        "bytes": len((await client.get(view["image"])).content),
        "placeholder": view["placeholder"],
        "srcset": {
            "jpeg": ", ".join([f"/images/{view['id']}.jpeg 640w", *small["jpeg"]]),
            "webp": ", ".join(small["webp"]),
            "avif": ", ".join(small["avif"]),
        },
    }
    created = datetime.fromisoformat(view["created"])
    assert parsedate_to_datetime(view["modified"]) == created.replace(microsecond=0)
    assert 5 <= len(base64.b64decode(view["placeholder"], validate=True)) <= 25


async def test_what_is_told_of_a_new_image_is_what_is_told_of_it_later(client: Client) -> None:
    view = await client.add()
    assert (await client.get(f"/images/{view['id']}")).json == view
    assert (await client.get("/images")).json == [view]


async def test_the_answer_leads_to_the_image_and_is_not_kept(client: Client) -> None:
    made = await client.post(pictures.upload(), "image/jpeg")
    assert made.headers["location"] == made.json["image"]
    assert made.headers["cache-control"] == "no-store"


async def test_no_link_says_what_the_client_says(client: Client) -> None:
    made = await client.request(
        "POST",
        "/images",
        body=pictures.upload(),
        host="localhost",
        headers={"content-type": "image/jpeg", "x-original-url": "/evil"},
    )
    assert "localhost" not in made.text + str(made.headers)
    assert "evil" not in made.text + str(made.headers)


@pytest.mark.parametrize("name", NO_PICTURES)
async def test_what_is_no_picture_is_refused(client: Client, store: MemoryStore, name: str) -> None:
    result = await client.post(NO_PICTURES[name], "image/png")
    assert refusal(result) == (415, "type-not-supported")
    assert result.headers["accept-post"] == ACCEPT_POST
    assert store.objects == {}


@pytest.mark.parametrize(
    "announced", ["text/html", "image/svg+xml", "image/x-icon", "image", "application/json"]
)
async def test_what_is_announced_as_no_picture_is_refused(
    client: Client, store: MemoryStore, announced: str
) -> None:
    result = await client.post(pictures.upload(), announced)
    assert refusal(result) == (415, "type-not-supported")
    assert result.headers["accept-post"] == ACCEPT_POST
    assert store.objects == {}


@pytest.mark.parametrize("name", pictures.BROKEN)
async def test_a_broken_picture_is_refused(client: Client, store: MemoryStore, name: str) -> None:
    result = await client.post(pictures.BROKEN[name](), "application/octet-stream")
    assert refusal(result) == (422, "picture-broken")
    assert store.objects == {}


@pytest.mark.parametrize("size", [(8000, 8000), (65_501, 1)])
async def test_a_picture_with_too_many_pixels_is_refused(
    client: Client, store: MemoryStore, size: tuple[int, int]
) -> None:
    result = await client.post(pictures.bomb(size), "image/png")
    assert refusal(result) == (422, "picture-too-large")
    assert store.objects == {}


@pytest.mark.parametrize("headers", [{}, {"content_length": "0"}], ids=["none", "zero"])
async def test_no_body_is_refused(
    client: Client, store: MemoryStore, headers: dict[str, str]
) -> None:
    assert refusal(await send(client, b"", **headers)) == (400, "upload-empty")
    assert store.objects == {}


async def test_an_empty_body_of_unknown_length_is_refused(client: Client) -> None:
    result = await send(client, b"", transfer_encoding="chunked")
    assert refusal(result) == (400, "upload-empty")


async def test_a_body_that_is_announced_too_long_is_refused_unread() -> None:
    async with serving(max_upload_bytes=2000) as client:
        result = await send(client, b"", content_length="2001")
        assert refusal(result) == (413, "upload-too-large")
        assert result.headers["connection"] == "close"


async def test_a_body_of_unknown_length_is_refused_once_it_is_too_long(
    store: MemoryStore,
) -> None:
    picture = pictures.upload()
    async with serving(store, max_upload_bytes=len(picture) - 1) as client:
        result = await send(client, picture, transfer_encoding="chunked")
        assert refusal(result) == (413, "upload-too-large")
        assert store.objects == {}


@pytest.mark.parametrize("framing", ["announced", "chunked"])
async def test_a_body_just_as_long_as_allowed_is_taken(framing: str) -> None:
    picture = pictures.upload()
    headers = {
        "announced": {"content_length": str(len(picture))},
        "chunked": {"transfer_encoding": "chunked"},
    }[framing]
    async with serving(max_upload_bytes=len(picture)) as client:
        assert (await send(client, picture, **headers)).status_code == 201


async def test_a_body_shorter_than_announced_makes_no_image(
    client: Client, store: MemoryStore
) -> None:
    picture = pictures.upload()
    # Whole as a picture, and yet not all that the client has to say.
    result = await send(client, picture, content_length=str(len(picture) + 1))
    assert refusal(result) == (400, "upload-incomplete")
    assert store.objects == {}


async def test_more_uploads_than_can_wait_are_sent_away() -> None:
    picture = pictures.upload()
    async with serving(decode_memory_bytes=64 * 1024 * 1024) as client:
        results = await asyncio.gather(*(client.post(picture, "image/jpeg") for _ in range(150)))
        refused = [result for result in results if result.status_code != 201]
        assert refused
        for result in refused:
            assert refusal(result) == (503, "overloaded")
            assert 1 <= int(result.headers["retry-after"]) <= MAX_RETRY_AFTER_S
        assert len(await client.listed()) == len(results) - len(refused)


async def test_what_was_refused_for_its_time_is_taken_once_there_is_more_time() -> None:
    cache, photograph = MemoryCache(1 << 20, 60), pictures.upload((2560, 1600))
    async with serving(cache=cache, decode_timeout=0.001) as client:
        refused = await client.post(photograph, "image/jpeg")
        assert refusal(refused) == (422, "picture-broken")
    async with serving(cache=cache) as client:
        await client.add(photograph)
