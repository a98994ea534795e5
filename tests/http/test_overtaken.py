"""An upload that is sent twice, and deleted between the two: what comes last stays gone."""

import asyncio
from collections.abc import Mapping

import pytest

from asgilook.store import ObjectInfo
from tests import pictures
from tests.fakes import MemoryStore, Unheard
from tests.http.client import serving
from tests.http.test_idempotency import code, send

PHOTOGRAPH = pictures.upload()


class Overtaken(MemoryStore):
    """A store to which the objects under a prefix come when they may."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix
        self.is_writing = asyncio.Event()
        self.may_write = asyncio.Event()

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        if key.startswith(self._prefix):
            self.is_writing.set()
            await self.may_write.wait()
        return await super().put(key, body, content_type=content_type, metadata=metadata)


@pytest.mark.parametrize("prefix", ["images/", "index/"])
async def test_an_upload_that_a_deletion_overtakes_leaves_nothing(prefix: str) -> None:
    slow, store = Overtaken(prefix), MemoryStore()
    slow.objects = store.objects
    async with serving(slow) as client, serving(store) as faster:
        uploading = asyncio.create_task(send(client))
        await slow.is_writing.wait()
        image_id = (await send(faster)).json["id"]
        await faster.delete(f"/images/{image_id}")
        slow.may_write.set()
        assert code(await uploading) == (410, "image-deleted")
        assert await faster.listed() == []
        assert (await faster.get(f"/images/{image_id}")).status_code == 410
    assert not [key for key in store.objects if key.startswith(("images/", "index/"))]


async def test_a_deletion_that_got_no_further_is_finished_by_a_retry_of_the_upload() -> None:
    store = Unheard(MemoryStore(), on=None, prefix="tombstones/")
    async with serving(store) as client:
        view = (await send(client)).json
        path = f"/images/{view['id']}"
        store.on = "put"
        assert (await client.delete(path)).status_code == 503
        assert (await client.get(view["thumbnails"][0])).headers["x-asgilook-cache"] == "Hit"
        assert code(await send(client)) == (410, "image-deleted")
        for gone in (path, view["image"], *view["thumbnails"]):
            assert code(await client.get(gone)) == (410, "image-deleted"), gone
        assert (await client.get(f"/purges/{view['id']}")).json["state"] == "pending"


async def test_a_twin_that_other_settings_made_first_is_the_image() -> None:
    slow, store = Overtaken("images/"), MemoryStore()
    slow.objects = store.objects
    async with serving(slow) as client, serving(store, jpeg_quality=50) as faster:
        uploading = asyncio.create_task(send(client, PHOTOGRAPH))
        await slow.is_writing.wait()
        view = (await send(faster, PHOTOGRAPH)).json
        slow.may_write.set()
        assert (await uploading).json == view
        assert (await client.get("/images")).json == [view]
        for path in (view["image"], *view["thumbnails"]):
            assert (await client.get(path)).content == (await faster.get(path)).content
