"""`GET /images` and `GET /images/{id}`."""

import re
from typing import Any
from uuid import UUID

import pytest

from asgilook.ids import uuid7
from asgilook.image import Image, Size
from asgilook.originals import MAX_PAGE
from tests.fakes import MemoryStore
from tests.http.client import Client

MISSING = "018bcfe5-6800-7abc-8def-0123456789ab"


def image_of(milliseconds: int, number: int = 0) -> Image:
    """Make up an image of that time."""
    version, variant = 0x7 << 76, 0x2 << 62
    return Image(UUID(int=milliseconds << 80 | version | variant | number), Size(640, 480), 9, b"")


async def enlist(store: MemoryStore, *images: Image) -> None:
    """List images as they would be listed if they had been uploaded."""
    for image in images:
        await store.put(image.index_key, b"", content_type="text/plain", metadata={})


async def walk(client: Client, limit: int) -> list[list[dict[str, Any]]]:
    """Follow the links from page to page."""
    pages = []
    path = f"/images?limit={limit}"
    while path:
        page = await client.get(path)
        assert page.status_code == 200
        pages.append(page.json)
        link = page.headers.get("link", "")
        assert not link or re.fullmatch("<(/[^>]+)>; rel=next", link)
        path = link[1:].partition(">")[0]
    return pages


async def test_an_empty_listing_is_an_empty_list(client: Client) -> None:
    result = await client.get("/images")
    assert result.status_code == 200
    assert result.json == []
    assert "link" not in result.headers


async def test_the_newest_image_comes_first(client: Client) -> None:
    added = [(await client.add())["id"] for _ in range(3)]
    created = [view["created"] for view in (await client.get("/images")).json]
    assert created == sorted(created, reverse=True)
    assert sorted(await client.listed()) == sorted(added)


async def test_a_listed_image_is_described_as_it_is_alone(client: Client) -> None:
    view = await client.add()
    assert (await client.get("/images")).json == [view]
    assert (await client.get(f"/images/{view['id']}")).json == view


@pytest.mark.parametrize("limit", [1, 7, 23, 24, 25, 46, 47, 48, MAX_PAGE])
async def test_a_walk_meets_every_image_once_and_in_order(
    client: Client, store: MemoryStore, limit: int
) -> None:
    images = [image_of(1_700_000_000_000 + 1000 * number) for number in range(47)]
    await enlist(store, *images)
    pages = await walk(client, limit)
    seen = [view["id"] for page in pages for view in page]
    assert seen == [str(image.id) for image in reversed(images)]
    assert all(len(page) == limit for page in pages[:-1])
    assert 1 <= len(pages[-1]) <= limit


async def test_images_of_one_millisecond_are_all_met(client: Client, store: MemoryStore) -> None:
    images = [image_of(1_700_000_000_000, number) for number in range(10)]
    await enlist(store, *images)
    seen = [view["id"] for page in await walk(client, 3) for view in page]
    assert sorted(seen) == [str(image.id) for image in images]


async def test_a_walk_goes_on_where_it_was_though_the_listing_changes(
    client: Client, store: MemoryStore
) -> None:
    images = [image_of(1_700_000_000_000 + number) for number in range(6)]
    await enlist(store, *images)
    first = await client.get("/images?limit=3")
    await enlist(store, image_of(1_800_000_000_000))
    await store.delete(images[3].index_key)  # the one that the cursor names
    rest = await client.get(first.headers["link"][1:].partition(">")[0])
    assert [view["id"] for view in rest.json] == [str(image.id) for image in images[2::-1]]


async def test_a_page_has_a_hundred_images_unless_more_are_asked_for(
    client: Client, store: MemoryStore
) -> None:
    await enlist(store, *(image_of(1_700_000_000_000 + number) for number in range(101)))
    page = await client.get("/images")
    assert len(page.json) == 100
    assert len((await client.get(f"/images?limit={MAX_PAGE}")).json) == 101
    last = page.json[-1]["id"]
    assert page.headers["link"] == f"</images?limit=100&cursor={last}>; rel=next"


async def test_any_id_will_do_as_a_cursor(client: Client, store: MemoryStore) -> None:
    image = image_of(1_700_000_000_000)
    await enlist(store, image)
    newer, older = image_of(1_700_000_000_001).id, image_of(1_699_999_999_999).id
    assert (await client.get(f"/images?cursor={newer}")).json[0]["id"] == str(image.id)
    assert (await client.get(f"/images?cursor={older}")).json == []
    assert (await client.get(f"/images?cursor={uuid7()}&limit=1")).json != []


async def test_what_others_left_in_the_store_is_not_listed(
    client: Client, store: MemoryStore
) -> None:
    image = image_of(1_700_000_000_000)
    await enlist(store, image)
    for key in ("index/notes", f"index/000000000000-{image.id}-640x480-9-", "index/"):
        await store.put(key, b"", content_type="text/plain", metadata={})
    assert await client.listed() == [str(image.id)]


async def test_a_record_of_a_time_that_there_is_no_date_of_hides_no_image(
    client: Client, store: MemoryStore
) -> None:
    view = await client.add()
    key = "index/000000000000-ffffffff-ffff-7fff-bfff-ffffffffffff-640x480-9-"
    await store.put(key, b"", content_type="text/plain", metadata={})
    assert view["id"] in await client.listed()


async def test_the_marker_of_a_folder_takes_no_place_in_a_page(
    client: Client, store: MemoryStore
) -> None:
    images = [image_of(1_700_000_000_000 + number) for number in range(3)]
    await enlist(store, *images)
    await store.put("index/", b"", content_type="text/plain", metadata={})
    assert [len(page) for page in await walk(client, 1)] == [1, 1, 1]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_what_others_left_in_the_store_hides_no_image(
    client: Client, store: MemoryStore, limit: int
) -> None:
    images = [image_of(1_700_000_000_000 + number) for number in range(3)]
    await enlist(store, *images)
    in_front = [f"index/{number}" for number in range(4)]
    between = [f"{image.index_key}.bak" for image in images]
    for key in (*in_front, *between, "index/notes"):
        await store.put(key, b"", content_type="text/plain", metadata={})
    pages = await walk(client, limit)
    seen = [view["id"] for page in pages for view in page]
    assert seen == [str(image.id) for image in reversed(images)]
    assert all(len(page) == limit for page in pages[:-1])


@pytest.mark.parametrize(
    "query",
    [
        "limit=",
        "limit=0",
        f"limit={MAX_PAGE + 1}",
        "limit=-1",
        "limit=+1",
        "limit=1.0",
        "limit=1_0",
        "limit=ten",
        "limit=%D9%A1",
        "limit=99999999999999999999",
        "cursor=",
        "cursor=x",
        f"cursor={MISSING.upper()}",
        f"cursor={MISSING.replace('-', '')}",
        "cursor=018bcfe5-6800-4abc-8def-0123456789ab",
        f"cursor={MISSING}&limit=0",
    ],
)
async def test_a_malformed_page_is_refused(client: Client, query: str) -> None:
    result = await client.get(f"/images?{query}")
    assert (result.status_code, result.json["code"]) == (400, "invalid-page")


async def test_what_a_query_says_else_is_not_looked_at(client: Client) -> None:
    assert (await client.get("/images?a=b&limit=5&utm=%FF")).status_code == 200


async def test_the_listing_is_kept_briefly_and_asked_for_anew(client: Client) -> None:
    await client.add()
    first = await client.get("/images")
    assert first.headers["cache-control"].startswith("max-age=5,")
    etag = first.headers["etag"]
    unchanged = await client.get("/images", if_none_match=etag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == etag
    await client.add()
    assert (await client.get("/images", if_none_match=etag)).status_code == 200


@pytest.mark.parametrize("path", ["/images", "/images?limit=1", "/images/{id}"])
async def test_head_has_the_same_fields_and_no_body(client: Client, path: str) -> None:
    for _ in range(2):
        view = await client.add()
    path = path.format(id=view["id"])
    get, head = await client.get(path), await client.head(path)
    ours = {"server-timing", "x-request-id"}
    assert head.content == b""
    assert head.status_code == get.status_code
    assert {name: value for name, value in head.headers.items() if name not in ours} == {
        name: value for name, value in get.headers.items() if name not in ours
    }


async def test_an_image_that_is_not_there_is_not_found(client: Client) -> None:
    result = await client.get(f"/images/{MISSING}")
    assert (result.status_code, result.json["code"]) == (404, "image-not-found")
