"""A thumbnail is kept while the store cannot tell whether its image is still there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from asgilook import keeper
from asgilook.cache.memory import MemoryCache
from asgilook.image import picture_key
from asgilook.store import ObjectInfo
from tests.fakes import Broken, MemoryStore
from tests.http.client import Client, serving


@dataclass
class Unsure(Broken):
    """A store that may fail to say whether something is there, and tells that it was asked."""

    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def stat(self, key: str) -> ObjectInfo:
        self.was_asked.set()
        return await super().stat(key)

    async def mend(self) -> None:
        """Fail no more, and come back when it was asked again."""
        self.on = None
        self.was_asked.clear()
        await self.was_asked.wait()
        await asyncio.sleep(0)


@dataclass
class Site:
    client: Client
    store: Unsure
    cache: MemoryCache
    image_id: UUID
    jpeg: str

    @property
    def webp(self) -> str:
        return self.jpeg.replace(".jpeg", ".webp")

    async def seen(self, path: str) -> str | None:
        """Ask; tell whether it was in the cache."""
        return (await self.client.get(path)).headers.get("x-asgilook-cache")

    async def make_unsure(self) -> None:
        """Have something made that nobody can say of whether it may be kept."""
        # Now the service knows the image's size, and need not ask for it.
        assert await self.seen(self.jpeg.replace(".jpeg", ".avif")) == "Miss"
        self.store.on = "stat"
        self.store.was_asked.clear()
        assert await self.seen(self.webp) == "Miss"
        await self.store.was_asked.wait()
        await asyncio.sleep(0)


@asynccontextmanager
async def opened_site() -> AsyncIterator[Site]:
    store, cache = Unsure(MemoryStore(), on=None), MemoryCache(1 << 24, 60)
    async with serving(store, cache) as client:
        view = await client.add()
        yield Site(client, store, cache, UUID(view["id"]), view["thumbnails"][-1])


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(keeper, "LOOK_AGAIN_S", 0.01)
    async with opened_site() as site:
        yield site


async def test_what_is_in_the_cache_stays_there(site: Site) -> None:
    await site.make_unsure()
    assert [await site.seen(path) for path in (site.jpeg, site.webp)] == ["Hit", "Hit"]
    await site.store.mend()
    assert [await site.seen(path) for path in (site.jpeg, site.webp)] == ["Hit", "Hit"]


async def test_it_goes_when_the_store_says_that_the_image_is_gone(site: Site) -> None:
    await site.make_unsure()
    await site.store.delete(picture_key(site.image_id))
    await site.store.mend()
    assert (await site.client.get(site.webp)).status_code == 404


async def test_who_ends_unsure_leaves_it_to_the_cache() -> None:
    async with opened_site() as site:
        await site.make_unsure()
    names = [path.rpartition("/")[2] for path in (site.jpeg, site.webp)]
    assert None not in [await site.cache.get(site.image_id, name) for name in names]
