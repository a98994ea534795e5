"""Stores in every state that interrupted work can leave them in."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from uuid import UUID

from asgilook.cache import Cache
from asgilook.cache.memory import MemoryCache
from asgilook.cdn import MemoryPurgeQueue, NoPurger
from asgilook.fsck import Bench, Checkup, Finding
from asgilook.ids import MAX_MS, uuid7
from asgilook.image import PICTURES_PREFIX, Image, Original, Size
from asgilook.metrics import Meter
from asgilook.originals import Originals
from asgilook.purges import Purges, forget
from asgilook.setting_kinds import Cdn
from asgilook.store import Store
from asgilook.tombstones import Tombstones, tombstone_key

HOUR_S = 3600
DAY = timedelta(days=1)
BODY = b"a picture"


def image_of(age: timedelta = DAY) -> Image:
    """Describe an image that came in so long ago."""
    then_ms = int((datetime.now(UTC) - age).timestamp() * 1000)
    image_id = UUID(int=uuid7().int & ((1 << 80) - 1) | min(then_ms, MAX_MS) << 80)
    return Image(image_id, Size(640, 480), len(BODY), bytes(range(25)))


async def put_picture(store: Store, image: Image) -> None:
    """Store a picture as the service does."""
    original = Original(image, sha256(BODY).digest(), "image/png")
    await store.put(
        image.picture_key, BODY, content_type="image/jpeg", metadata=original.metadata()
    )


async def put_record(store: Store, image: Image) -> None:
    """List an image as the service does."""
    await store.put(image.index_key, b"", content_type="text/plain", metadata={})


async def put_whole(store: Store, image: Image) -> None:
    """Store and list an image."""
    await put_picture(store, image)
    await put_record(store, image)


async def put_tombstone(store: Store, image: Image, age: timedelta = DAY) -> None:
    """Say that an image was deleted so long ago."""
    when = (datetime.now(UTC) - age).isoformat()
    key = tombstone_key(image.id)
    await store.put(key, b"", content_type="text/plain", metadata={"deleted": when})


async def delete(store: Store, image: Image) -> None:
    """Delete an image as the service does."""
    await put_tombstone(store, image, timedelta())
    await store.delete(image.index_key)
    await store.delete(image.picture_key)


async def put_claim(store: Store, image: Image) -> str:
    """Claim an image; give the claim's key."""
    key = f"claims/{sha256(image.id.bytes).hexdigest()}"
    told = {"image": str(image.id), "sha256": "00" * 32}
    await store.put(key, b"", content_type="text/plain", metadata=told)
    return key


def wrong(image: Image) -> Image:
    """Describe an image as it is not."""
    return replace(image, length_bytes=image.length_bytes + 1)


async def check(
    store: Store,
    cache: Cache | None = None,
    *,
    repair: bool = False,
    quick: bool = False,
    older_than_s: int = HOUR_S,
) -> list[Finding]:
    """Look a store over; give all that is found, by key."""
    cache, tombstones = cache or MemoryCache(0, 1), Tombstones(store, 30 * DAY.total_seconds())
    purges = Purges(NoPurger(), MemoryPurgeQueue(), Cdn.NONE, Meter())
    bench = Bench(
        store,
        cache,
        Originals(store, tombstones, partial(forget, purges, cache)),
        tombstones,
        purges,
        older_than_s,
        repair,
        lambda *_: None,
    )
    found = [finding async for finding in Checkup(bench, is_quick=quick).findings()]
    return sorted(found, key=lambda finding: finding.key)


async def keys(store: Store) -> set[str]:
    """List everything in a store of up to a thousand objects under each prefix."""
    prefixes = (PICTURES_PREFIX, "index/", "claims/", "tombstones/", "unfinished/")
    return {key for prefix in prefixes for key in await store.scan(prefix, limit=1000)}


async def mended(store: Store) -> Iterable[str]:
    """Repair a store; give the kinds of what was found, and see that nothing is left to be done."""
    found = await check(store, repair=True)
    assert all(finding.is_mended for finding in found if finding.kind.is_problem)
    assert [each for each in await check(store) if each.kind.is_problem] == []
    return [finding.kind for finding in found]
