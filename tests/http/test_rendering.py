"""How often an original is read to make thumbnails of it."""

import asyncio

import pytest

from asgilook.byte_range import ByteRange
from asgilook.store import ObjectStream
from tests.fakes import MemoryStore
from tests.http.client import serving


class CountingStore(MemoryStore):
    """Counts how often it is read."""

    reads = 0

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        self.reads += 1
        return await super().open(key, byte_range)


@pytest.mark.parametrize("extension", ["jpeg", "webp", "avif"])
async def test_all_who_ask_at_once_are_served_by_one_rendering(extension: str) -> None:
    store = CountingStore()
    async with serving(store) as first:
        view = await first.add()
    path = view["thumbnails"][0].replace("jpeg", extension)
    async with serving(store) as client:
        results = await asyncio.gather(*(client.get(path) for _ in range(20)))
    assert {result.status_code for result in results} == {200}
    assert len({result.content for result in results}) == 1
    assert store.reads == 1


async def test_one_reading_gives_the_jpegs_of_all_sizes() -> None:
    store = CountingStore()
    async with serving(store) as first:
        view = await first.add()
    async with serving(store) as client:
        seen = [(await client.get(path)).headers["x-asgilook-cache"] for path in view["thumbnails"]]
    assert seen == ["Miss", "Hit"]
    assert store.reads == 1


async def test_sizes_that_do_not_exist_cost_no_reading() -> None:
    store = CountingStore()
    async with serving(store) as client:
        view = await client.add()
        for side in range(1, 100):
            path = f"/thumbnails/{view['id']}/{side}x{side}.avif"
            assert (await client.get(path)).status_code == 404
    assert store.reads == 0
