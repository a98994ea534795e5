"""Resident memory of a worker and of its children, idle and after work."""

import asyncio
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Self

import httpx

from tests import servers
from tests.benchmarks import pictures
from tests.benchmarks.bench import Bench, progress
from tests.benchmarks.report import Row

BUCKET = "memory"
CONNECTIONS = 8
LOOKS = 10
# Fifty requests, twenty times.
ROUNDS = 20
UPLOADS, MISSES, HITS, ORIGINALS, PAGES = 2, 4, 24, 10, 10


def measure(bench: Bench) -> Iterator[Row]:
    """Look at it before and after a thousand requests, on SeaweedFS and Valkey."""
    with servers.seaweedfs(bench.folder()) as s3_url, servers.valkey() as redis_url:
        servers.make_bucket(s3_url, BUCKET)
        settings = {"S3_BUCKET": BUCKET, "S3_ENDPOINT_URL": s3_url, "REDIS_URL": redis_url}
        with bench.service(settings) as service:
            idle = _at_rest(service.process.pid)
            asyncio.run(_work(service.url))
            busy = _at_rest(service.process.pid)
    count = ROUNDS * (UPLOADS + MISSES + HITS + ORIGINALS + PAGES)
    when = f"after {count:,} requests; idle"
    yield Row(f"memory of a worker {when}", "MB", [busy.worker_mb], [idle.worker_mb])
    yield Row(f"memory of its children {when}", "MB", [busy.children_mb], [idle.children_mb])


@dataclass(frozen=True, slots=True)
class _Resident:
    """What a process, and those that it started, have in memory; shared pages count in each."""

    worker_mb: float
    children_mb: float

    @classmethod
    def of(cls, pid: int) -> Self:
        sizes_mb, children = _processes()
        family = [pid]
        for parent in family:
            family += children[parent]
        return cls(sizes_mb[pid], sum(sizes_mb[child] for child in family[1:]))


def _at_rest(pid: int) -> _Resident:
    """Look until nothing changes any more, but not for ever: children may still be starting."""
    now = _Resident.of(pid)
    for _ in range(LOOKS):
        time.sleep(1)
        before, now = now, _Resident.of(pid)
        if now == before:
            break
    return now


def _processes() -> tuple[dict[int, float], Mapping[int, list[int]]]:
    """Look at all processes: how large each is, and which ones it started."""
    command = ["ps", "-axo", "pid=,ppid=,rss="]
    listing = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    sizes_mb: dict[int, float] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for line in listing.splitlines():
        pid, parent, kib = map(int, line.split())
        sizes_mb[pid] = kib * 1024 / 1e6
        children[parent].append(pid)
    return sizes_mb, children


async def _work(url: str) -> None:
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        with progress(range(ROUNDS), "mixed requests") as rounds:
            for _ in rounds:
                await _round(client)


async def _round(client: httpx.AsyncClient) -> None:
    """Upload, then ask for everything there is at once."""
    images = await asyncio.gather(*(_upload(client) for _ in range(UPLOADS)))
    made = [path for image in images for path in image["thumbnails"]]
    unmade = [path.removesuffix("jpeg") + "webp" for path in made]
    originals = [image["image"] for image in images]
    wanted = [(unmade, MISSES), (made, HITS), (originals, ORIGINALS), (["/images"], PAGES)]
    paths = [path for paths, count in wanted for path in islice(cycle(paths), count)]
    for answer in await asyncio.gather(*map(client.get, paths)):
        answer.raise_for_status()


async def _upload(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/images", content=pictures.photograph(), headers=pictures.FIELDS)
    image: dict[str, Any] = answer.raise_for_status().json()
    return image
