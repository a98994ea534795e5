"""Originals from SeaweedFS, beside a bare pipe; and what a read of the store costs."""

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from uuid import UUID

from aiobotocore.session import get_session

from asgilook.backends import make_store
from asgilook.config import Settings
from asgilook.ids import uuid7
from asgilook.image import Image, Original, picture_key
from asgilook.store import Store
from tests.benchmarks import photographs, pipe
from tests.benchmarks.bench import Asked, Bench
from tests.benchmarks.load import Question
from tests.benchmarks.peers import Peer
from tests.benchmarks.report import Row, Side, at_least, at_most

CONNECTIONS = 4
READS = 200
LENGTHS_BYTES = {"10 KB": 10_000, "1 MB": 1_000_000, "20 MB": 20_000_000}
COUNTS = {"10 KB": 300, "1 MB": 100, "20 MB": 8}
"""How often each is asked for in a round."""


def measure(bench: Bench) -> Iterator[Row | str]:
    """Compare three lengths of original, and the processor's time of the short one."""
    with bench.bucket() as place:
        endpoint, bucket = place["S3_ENDPOINT_URL"], place["S3_BUCKET"]
        with bench.service(place) as service, pipe.serving(endpoint, bucket) as theirs:
            ours = Peer("asgilook", service.url, service.process.pid, "/images/{name}.jpeg")
            ids = asyncio.run(_fill(place))
            for name, image_id in ids.items():
                yield _row(bench, name, (ours, theirs), image_id)
        yield asyncio.run(_reads(bench, place, picture_key(UUID(ids["10 KB"]))))


async def _fill(place: Mapping[str, str]) -> dict[str, str]:
    """Keep originals of just these lengths; what is in them makes no difference."""
    ids: dict[str, str] = {}
    async with _store(place) as store:
        for name, length in LENGTHS_BYTES.items():
            body = os.urandom(length)
            image = Image(uuid7(), photographs.SIZE, length, os.urandom(25))
            original = Original(image, hashlib.sha256(body).digest(), "image/jpeg")
            await store.put(
                image.picture_key, body, content_type="image/jpeg", metadata=original.metadata()
            )
            ids[name] = str(image.id)
    return ids


@contextlib.asynccontextmanager
async def _store(place: Mapping[str, str]) -> AsyncIterator[Store]:
    store = make_store(Settings.model_validate({n.lower(): v for n, v in place.items()}))
    await store.open_up()
    try:
        yield store
    finally:
        await store.close()


def _row(bench: Bench, name: str, sides: tuple[Peer, Peer], image_id: str) -> Row:
    ours, theirs = sides
    paths = ours.template.format(name=image_id), f"/{picture_key(UUID(image_id))}"

    def side(peer: Peer, path: str) -> Asked:
        questions = [Question(peer.url + path)] * COUNTS[name]
        return Asked(peer.pid, lambda _: bench.client.ask_all(questions, CONNECTIONS))

    what = f"original of {name}"
    asked = {peer.name: side(peer, path) for peer, path in zip(sides, paths, strict=True)}
    loads = bench.loads(what, asked, 2 * bench.rounds)
    mine, other = (Side.of(loads[peer.name]) for peer in sides)
    return Row(what, "/s", mine, theirs.name, other, at_least(0.95) if name == "1 MB" else None)


async def _reads(bench: Bench, place: Mapping[str, str], key: str) -> Row:
    """Read an object again and again, through our store and with a plain call."""
    what = "processor time of reading 10 KB"
    endpoint = place["S3_ENDPOINT_URL"]
    plain = get_session().create_client("s3", endpoint_url=endpoint, config=pipe.CONFIG)
    async with _store(place) as store, plain as client:

        async def ours() -> None:
            async with await store.open(key) as stream:
                [_ async for _ in stream]

        async def theirs() -> None:
            answer = await client.get_object(Bucket=place["S3_BUCKET"], Key=key)
            async with answer["Body"] as body:
                await body.read()

        sides: tuple[list[float], list[float]] = ([], [])
        for call in (ours, theirs):
            await _cost_us(call)
        for _ in range(bench.rounds):
            for found, call in zip(sides, (ours, theirs), strict=True):
                found.append(await _cost_us(call))
    return Row(what, "us", Side(sides[0]), "plain get_object", Side(sides[1]), at_most(0.5))


async def _cost_us(call: Callable[[], Awaitable[None]]) -> float:
    before_s = time.process_time()
    for _ in range(READS):
        await call()
    return 1e6 * (time.process_time() - before_s) / READS
