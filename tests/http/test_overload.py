"""More thumbnails wanted than may wait: who is turned away, who is not, and what it costs."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from falcon.testing import Result

from asgilook import workers
from asgilook.byte_range import ByteRange
from asgilook.cache import Lease
from asgilook.cache.memory import MemoryCache
from asgilook.signing import Signer
from asgilook.store import ObjectStream
from tests.http.client import Client, serving
from tests.http.signed_site import WatchedStore, code
from tests.patience import eventually

KEY = "11" * 32
MEMORY_BYTES = 64 * 1024 * 1024
MORE_THAN_FITS = MEMORY_BYTES // (8 * 1024 * 1024)
"""Renderings that take as much at least, and more with their pixels."""


class HeldStore(WatchedStore):
    """Delivers no original before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_free = asyncio.Event()

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        await self.is_free.wait()
        return await super().open(key, byte_range)


class SharedCache(MemoryCache):
    """Knows whether a lease was asked for in vain."""

    _is_denied = False

    async def lease(self, image_id: UUID, work: str) -> Lease | None:
        lease = await super().lease(image_id, work)
        self._is_denied = lease is None
        return lease

    async def has_denied(self) -> bool:
        return self._is_denied


class Site:
    """A service with an image, on a store that holds its renderings up."""

    def __init__(self, client: Client, store: HeldStore, cache: SharedCache, image_id: str) -> None:
        self.client = client
        self.store = store
        self.cache = cache
        self.image_id = image_id
        self.paths = self._paths()

    def _paths(self) -> Iterator[str]:
        for side in itertools.count(100):
            text = f"contain/{self.image_id}/{side}x{side}.jpeg"
            yield f"/signed/{Signer([KEY]).sign(text)}/{text}"

    @asynccontextmanager
    async def full(self) -> AsyncIterator[list[str]]:
        """Have all places in line taken, for the length of a block; give what is waited for."""
        paths = list(itertools.islice(self.paths, MORE_THAN_FITS))
        asked = [asyncio.create_task(self.client.get(path)) for path in paths]
        # What is held up is not answered, so an answer is a refusal.
        done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert {one.result().status_code for one in done} == {503}
        yield [path for path, one in zip(paths, asked, strict=True) if not one.done()]
        self.store.is_free.set()
        results = await asyncio.gather(*asked)
        assert {result.status_code for result in results} == {200, 503}


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(workers, "LINE", 1)
    store, cache = HeldStore(), SharedCache(2**24, 3600)
    async with serving(
        store, cache, signing_keys=(KEY,), decode_memory_bytes=MEMORY_BYTES
    ) as client:
        view = await client.add()
        yield Site(client, store, cache, view["id"])


def served(result: Result) -> tuple[int, str]:
    return result.status_code, result.headers["x-asgilook-cache"]


async def test_who_is_turned_away_hears_when_to_come_back(site: Site) -> None:
    async with site.full():
        refused = await site.client.get(next(site.paths))
        assert code(refused) == (503, "overloaded")
        assert int(refused.headers["retry-after"]) >= 1
    assert served(await site.client.get(next(site.paths))) == (200, "Miss")


async def test_who_is_turned_away_costs_neither_the_store_nor_the_log_a_thing(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async with site.full():
        before = site.store.requests
        with caplog.at_level(logging.INFO, "asgilook.http"):
            for _ in range(3):
                assert code(await site.client.get(next(site.paths))) == (503, "overloaded")
        assert site.store.requests == before
    assert [record for record in caplog.records if record.name.startswith("asgilook")] == []


async def test_what_is_in_the_cache_is_served_all_the_same(site: Site) -> None:
    async with site.full():
        (path, _) = (await site.client.get(f"/images/{site.image_id}")).json["thumbnails"]
        assert served(await site.client.get(path)) == (200, "Hit")


async def test_who_asks_for_what_is_under_way_joins_those_who_wait(site: Site) -> None:
    async with site.full() as under_way:
        joining = [asyncio.create_task(site.client.get(path)) for path in under_way]
    assert {served(await one) for one in joining} == {(200, "Miss")}


async def test_what_another_process_makes_is_waited_for(site: Site) -> None:
    (path, _) = (await site.client.get(f"/images/{site.image_id}")).json["thumbnails"]
    image_id, name = UUID(site.image_id), path.rpartition("/")[2]
    entry = await site.cache.get(image_id, name)
    await site.cache.clear()
    assert entry
    async with site.full():
        theirs = await site.cache.lease(image_id, "ladder")
        assert theirs
        asked = asyncio.create_task(site.client.get(path))
        await eventually(site.cache.has_denied)
        await site.cache.put(image_id, {name: entry})
        await theirs.release()
        assert (await asked).content == entry.body


async def test_what_no_other_process_makes_is_left_to_them(site: Site) -> None:
    path = f"/thumbnails/{site.image_id}/320x240.webp"
    async with site.full():
        assert code(await site.client.get(path)) == (503, "overloaded")
        assert await site.cache.lease(UUID(site.image_id), "320x240.webp")
