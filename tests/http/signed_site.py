"""A service that serves what is signed, and counts what it does for that."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from falcon.testing import Result

from asgilook.byte_range import ByteRange
from asgilook.cache import Entry
from asgilook.cache.memory import MemoryCache
from asgilook.image import Format, Size
from asgilook.signing import Signer
from asgilook.store import ObjectInfo, ObjectStream
from asgilook.variant import Options
from tests import pictures
from tests.fakes import MemoryStore
from tests.http.client import Client, serving

FIRST, SECOND, FOREIGN = ("11" * 32, "22" * 32, "33" * 32)
FULL = Size(640, 480)
BOX = Size(300, 200)


class WatchedStore(MemoryStore):
    """Counts what it is asked."""

    requests = 0

    async def stat(self, key: str) -> ObjectInfo:
        self.requests += 1
        return await super().stat(key)

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        self.requests += 1
        return await super().open(key, byte_range)


class WatchedCache(MemoryCache):
    """Counts what it is asked."""

    requests = 0

    async def get(self, image_id: UUID, name: str) -> Entry | None:
        self.requests += 1
        return await super().get(image_id, name)


class Site:
    """A running service with one image, and what it has been asked to do."""

    def __init__(
        self, client: Client, image_id: UUID, store: WatchedStore, cache: WatchedCache
    ) -> None:
        self.client = client
        self.image_id = image_id
        self._rooms = (store, cache)

    @property
    def work(self) -> int:
        return sum(room.requests for room in self._rooms)

    def path(
        self,
        options: Options | str = "contain",
        box: Size | str = BOX,
        kind: Format | str = "jpeg",
        key: str = FIRST,
    ) -> str:
        """Sign, in whatever spelling."""
        text = f"{options}/{self.image_id}/{box}.{kind}"
        return f"/signed/{Signer([key]).sign(text)}/{text}"


@asynccontextmanager
async def signed_site() -> AsyncIterator[Site]:
    """Run a service with two keys and one picture."""
    store, cache = WatchedStore(), WatchedCache(2**24, 3600)
    async with serving(store, cache, signing_keys=(FIRST, SECOND)) as client:
        made = await client.add(pictures.upload(FULL))
        yield Site(client, UUID(made["id"]), store, cache)


def code(result: Result) -> tuple[int, str]:
    """Tell how a request was refused."""
    return result.status_code, result.json["code"]
