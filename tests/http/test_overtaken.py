"""An upload that is sent twice, and deleted between the two: what comes last stays gone."""

import asyncio
from collections.abc import Mapping

import pytest

from asgilook.store import ObjectInfo
from tests.fakes import MemoryStore
from tests.http.client import serving
from tests.http.test_idempotency import code, send


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
