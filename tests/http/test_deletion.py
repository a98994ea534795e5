"""`DELETE /images/{id}`: nothing of an image is left."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from asgilook.cache import Entry
from asgilook.cache.memory import MemoryCache
from tests.fakes import Broken, MemoryStore
from tests.http.client import Client, serving

MISSING = "/images/018bcfe5-6800-7abc-8def-0123456789ab"


async def test_a_deleted_image_is_gone_from_everywhere(client: Client, store: MemoryStore) -> None:
    kept, view = await client.add(), await client.add()
    before = dict(store.objects)
    thumbnails = [
        path.replace("jpeg", extension)
        for path in view["thumbnails"]
        for extension in ("jpeg", "webp", "avif")
    ]
    paths = [f"/images/{view['id']}", view["image"], *thumbnails]
    for path in paths:
        assert (await client.get(path)).status_code == 200

    result = await client.delete(f"/images/{view['id']}")
    assert (result.status_code, result.content) == (204, b"")

    for path in paths:
        gone = await client.get(path)
        assert (gone.status_code, gone.json["code"]) == (410, "image-deleted"), path
        assert gone.headers["cache-control"] == "max-age=5"
        assert (await client.head(path)).status_code == 410, path
    assert (await client.get("/images")).json == [kept]
    left = [key for key in store.objects if view["id"] in key]
    assert left == [f"tombstones/{view['id']}"]
    assert len(store.objects) == len(before) / 2 + 1


async def test_what_is_deleted_cannot_be_deleted_again(client: Client) -> None:
    path = f"/images/{(await client.add())['id']}"
    assert (await client.delete(path)).status_code == 204
    again = await client.delete(path)
    assert (again.status_code, again.json["code"]) == (410, "image-deleted")
    assert (await client.delete(MISSING)).status_code == 404


async def test_after_its_time_a_deleted_image_is_like_one_that_never_was(
    store: MemoryStore,
) -> None:
    async with serving(store) as client:
        path = f"/images/{(await client.add())['id']}"
        await client.delete(path)
        assert (await client.get(path)).status_code == 410
    for key, (info, body) in store.objects.items():
        assert key.startswith("tombstones/")
        deleted = datetime.fromisoformat(info.metadata["deleted"]) - timedelta(days=30)
        store.objects[key] = replace(info, metadata={"deleted": deleted.isoformat()}), body
    async with serving(store) as client:
        gone = await client.get(path)
        assert (gone.status_code, gone.json["code"]) == (404, "image-not-found")


async def test_asking_again_and_again_for_what_is_not_there_costs_the_store_nothing(
    store: MemoryStore,
) -> None:
    broken = Broken(store, on=None)
    async with serving(broken) as client:
        deleted = (await client.add())["image"]
        await client.delete(deleted.removesuffix(".jpeg"))
        assert (await client.get(deleted)).status_code == 410
        assert (await client.get(MISSING)).status_code == 404
        for call in ("open", "stat"):
            broken.on = call
            for _ in range(3):
                assert (await client.get(deleted)).status_code == 410
                assert (await client.get(MISSING)).status_code == 404
                assert (await client.head(deleted)).status_code == 410


async def test_neither_the_listing_nor_a_file_can_be_deleted(client: Client) -> None:
    view = await client.add()
    for path in ("/images", view["image"], view["thumbnails"][0]):
        result = await client.delete(path)
        assert (result.status_code, result.json["code"]) == (405, "method-not-allowed")
    assert await client.listed() == [view["id"]]


class SlowCache(MemoryCache):
    """A cache in which what is kept arrives when it may."""

    def __init__(self) -> None:
        super().__init__(1 << 20, 60)
        self.may_keep = asyncio.Event()

    async def put(self, image_id: UUID, entries: Mapping[str, Entry]) -> bool:
        await self.may_keep.wait()
        return await super().put(image_id, entries)


@pytest.mark.parametrize("extension", ["jpeg", "webp", "avif"])
async def test_a_thumbnail_that_is_kept_too_late_does_not_outlive_its_image(
    client: Client, store: MemoryStore, extension: str
) -> None:
    view = await client.add()
    path = view["thumbnails"][0].replace("jpeg", extension)
    cache = SlowCache()
    async with serving(store, cache) as another:
        assert (await another.get(path)).headers["x-asgilook-cache"] == "Miss"
        assert (await another.delete(f"/images/{view['id']}")).status_code == 204
        cache.may_keep.set()
    # All that was under way has come to its end.
    async with serving(store, cache) as another:
        assert (await another.get(path)).status_code == 410


async def test_what_could_not_be_deleted_can_be_deleted_later(store: MemoryStore) -> None:
    broken = Broken(store, on=None)
    async with serving(broken) as client:
        view = await client.add()
        for prefix in ("tombstones/", "index/", "images/"):
            broken.on = "put" if prefix == "tombstones/" else "delete"
            broken.prefix = prefix
            assert await client.listed() == [view["id"]]
            assert (await client.delete(f"/images/{view['id']}")).status_code == 503
        broken.on = None
        assert (await client.delete(f"/images/{view['id']}")).status_code == 204
        assert list(store.objects) == [f"tombstones/{view['id']}"]
        assert (await client.get(view["thumbnails"][0])).status_code == 410
