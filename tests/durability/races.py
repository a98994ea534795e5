"""Deletions that race uploads, renderings and refills on several processes; what must stay gone."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from uuid import uuid4

import httpx
from redis.asyncio import Redis

from asgilook.store import Store
from asgilook.store.s3 import Bucket, S3Store
from tests import pictures
from tests.durability import UNLIMITED
from tests.e2e.steps import Start
from tests.rooms import opened

PICTURE = pictures.upload((320, 240))
PROCESSES = 3
AT_ONCE = 8
MOST_UPLOADS = 20
PATIENCE_S = 60


@dataclass
class Fleet:
    """Processes on one store and one Redis."""

    urls: list[str]
    redis_url: str
    store: Store


@asynccontextmanager
async def fleet(start: Start, s3_url: str, bucket: str, redis_url: str) -> AsyncIterator[Fleet]:
    """Start a fleet on real servers."""
    settings = {"S3_BUCKET": bucket, "S3_ENDPOINT_URL": s3_url, "REDIS_URL": redis_url}
    urls = [start({**settings, **UNLIMITED}).url for _ in range(PROCESSES)]
    async with opened(S3Store(Bucket(bucket, endpoint_url=s3_url))) as store:
        yield Fleet(urls, redis_url, store)


@dataclass
class Outcome:
    """What the races came to."""

    ids: list[str] = field(default_factory=list)
    """The images that were made and deleted."""
    statuses: dict[str, dict[int, int]] = field(default_factory=dict)
    """How often each kind of request was answered how, while a race was on."""
    overtaken: int = 0
    """How many uploads were under way while their image was deleted."""

    def note(self, kind: str, status: int) -> None:
        """Count an answer."""
        counts = self.statuses.setdefault(kind, {})
        counts[status] = counts.get(status, 0) + 1

    def lines(self) -> Iterator[str]:
        """Tell of it, after `verify`."""
        yield (
            f"{len(self.ids)} races on {PROCESSES} processes, {self.overtaken} uploads overtaken; "
            "nothing came back"
        )
        for kind, statuses in self.statuses.items():
            told = ", ".join(f"{status} x{count}" for status, count in sorted(statuses.items()))
            yield f"{kind}: {told}"


async def race(fleet: Fleet, count: int, seed: int) -> Outcome:
    """Run so many races, a few at a time."""
    outcome, free = Outcome(), asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:

        async def run(number: int) -> None:
            async with free:
                await _Race(fleet, client, outcome, Random(seed + number)).run()

        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(run(number))
    return outcome


@dataclass
class _Race:
    fleet: Fleet
    client: httpx.AsyncClient
    outcome: Outcome
    chance: Random
    key: str = field(default_factory=lambda: str(uuid4()))

    async def run(self) -> None:
        """Upload twice at once; delete what the first answer names, while all else goes on."""
        uploads = [asyncio.create_task(self._upload(url)) for url in self.fleet.urls * 2]
        image_id = await self._first_made(uploads)
        self.outcome.ids.append(image_id)
        self.outcome.overtaken += sum(not upload.done() for upload in uploads)
        readers = [asyncio.create_task(self._read(path)) for path in self._paths(image_id)]
        await asyncio.sleep(self.chance.uniform(0, 0.02))
        retries = [asyncio.create_task(self._upload(url)) for url in self.fleet.urls]
        await asyncio.gather(*(self._delete(image_id) for _ in range(2)))
        after = [asyncio.create_task(self._read(path)) for path in self._paths(image_id)]
        await asyncio.gather(*uploads, *readers, *retries, *after)

    async def _first_made(self, uploads: "list[asyncio.Task[str | None]]") -> str:
        """Give the id that the first answer names; who is told to come back later does."""
        while len(uploads) < MOST_UPLOADS:
            for answered in asyncio.as_completed(uploads):
                if image_id := await answered:
                    return image_id
            await asyncio.sleep(1)
            uploads.append(asyncio.create_task(self._upload(self.fleet.urls[0])))
        raise AssertionError("nobody makes an image of it")

    def _paths(self, image_id: str) -> list[str]:
        sizes = [f"/thumbnails/{image_id}/160x120.{kind}" for kind in ("jpeg", "webp", "avif")]
        return [
            self.chance.choice(self.fleet.urls) + path
            for path in (f"/images/{image_id}.jpeg", *sizes)
        ]

    async def _upload(self, url: str) -> str | None:
        fields = {"content-type": "image/jpeg", "idempotency-key": self.key}
        made = await self.client.post(f"{url}/images", content=PICTURE, headers=fields)
        self.outcome.note("upload", made.status_code)
        image_id: str | None = made.json().get("id")
        return image_id

    async def _read(self, url: str) -> None:
        self.outcome.note("read", (await self.client.get(url)).status_code)

    async def _delete(self, image_id: str) -> None:
        url = self.chance.choice(self.fleet.urls)
        self.outcome.note(
            "delete", (await self.client.delete(f"{url}/images/{image_id}")).status_code
        )


async def verify(fleet: Fleet, outcome: Outcome) -> None:
    """See that nothing of the images is left, in any request, cache entry or object."""
    assert len(set(outcome.ids)) == len(outcome.ids)
    for prefix in ("images/", "index/"):
        assert await fleet.store.scan(prefix, limit=1000) == []
    # What Redis was too busy to be told in time it is told a moment later.
    deadline = time.monotonic() + PATIENCE_S
    while left := await _left_in_redis(fleet, outcome):
        assert time.monotonic() < deadline, left
        await asyncio.sleep(0.1)
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        for url in fleet.urls:
            assert (await client.get(f"{url}/images")).json() == []
            for image_id in outcome.ids:
                await _verify_gone(client, url, image_id)


async def _left_in_redis(fleet: Fleet, outcome: Outcome) -> set[str]:
    ids = set(outcome.ids)
    async with Redis.from_url(fleet.redis_url) as redis:
        keys = {key.decode() async for key in redis.scan_iter("asgilook:image:*", count=1000)}
    return {key for key in keys if key.partition("{")[2].rstrip("}") in ids}


async def _verify_gone(client: httpx.AsyncClient, url: str, image_id: str) -> None:
    extensions = ("jpeg", "webp", "avif")
    paths = [f"/thumbnails/{image_id}/160x120.{extension}" for extension in extensions]
    for path in (f"/images/{image_id}", f"/images/{image_id}.jpeg", *paths):
        assert (await client.get(f"{url}{path}")).status_code == 410
